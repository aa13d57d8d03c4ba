// A button with data-arm="400" answers only so many milliseconds after its form was shown, so that
// a key or click that was meant for the step before does not fall through to this one. The way back
// is open at once. A key that is held down goes no further than one step.

const armedAt = new WeakMap();

function arm(form) {
  const delays = [...form.elements].map((one) => Number(one.dataset.arm ?? 0));
  armedAt.set(form, performance.now() + Math.max(0, ...delays));
}

function armIn(place) {
  const buttons = place?.querySelectorAll("[data-arm]") ?? [];
  for (const form of new Set([...buttons].map((one) => one.form))) if (form) arm(form);
}

// A form that nobody saw coming is shown from now on.
function isEarly(form) {
  if (!armedAt.has(form)) arm(form);
  return performance.now() < armedAt.get(form);
}

// An Enter in a field of a form without any button for it has no submitter.
function armedFormOf({ type, target, submitter }) {
  if (type === "click") return target.closest?.("[data-arm]")?.form;
  return submitter === null || submitter.dataset.arm ? target : null;
}

function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

function holdUnarmed(event) {
  const form = armedFormOf(event);
  if (form && isEarly(form)) stop(event);
}

function holdRepeated(event) {
  const fields = event.key === "Enter" && event.repeat ? event.target.form?.elements : null;
  if ([...(fields ?? [])].some((one) => one.dataset.arm)) stop(event);
}

export function holdClicks() {
  armIn(document);
  document.addEventListener("htmx:after:swap", ({ detail }) => armIn(detail.ctx?.target));
  for (const name of ["click", "submit"]) document.addEventListener(name, holdUnarmed, true);
  document.addEventListener("keydown", holdRepeated, true);
}
