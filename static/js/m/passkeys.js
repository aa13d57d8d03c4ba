// A button with data-passkey="get" asks the browser for a passkey and sends its answer in the form's
// hidden field; "create" has one made. What is asked for is in data-options, as the server wrote it.

const REFUSED = {
  NotAllowedError: "Nothing was chosen in time, or it was called off. Try once more.",
  InvalidStateError: "This device has a passkey for you already.",
  SecurityError: "Browsers keep no passkeys for this address. Open the site by the name of its host.",
};

async function answerTo(button) {
  const options = JSON.parse(button.dataset.options);
  if (button.dataset.passkey === "create") {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return navigator.credentials.create({ publicKey });
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return navigator.credentials.get({ publicKey });
}

function say(form, words) {
  let note = form.querySelector("[data-passkey-said]");
  if (!note) {
    note = document.createElement("p");
    note.className = "note note-error";
    note.setAttribute("role", "alert");
    note.dataset.passkeySaid = "";
    form.querySelector("[data-passkey]").after(note);
  }
  note.textContent = words;
}

async function use(button) {
  const form = button.form;
  if (!form.reportValidity()) return;
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    say(form, "This browser is too old for passkeys, or the site is not reached by https.");
    return;
  }
  button.disabled = true;
  try {
    const answer = await answerTo(button);
    form.elements.passkey.value = JSON.stringify(answer.toJSON());
    form.requestSubmit();
  } catch (error) {
    say(form, REFUSED[error.name] ?? `The browser refused: ${error.name}.`);
  } finally {
    button.disabled = false;
  }
}

export function usePasskeys() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-passkey]");
    if (button) use(button);
  });
}
