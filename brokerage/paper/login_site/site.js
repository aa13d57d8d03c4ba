// One page with hash routes, and the ids and roles that Schwab's login pages have. The server says
// which page comes next; whoever types another route comes back to it.

const root = document.querySelector("#page");

const field = (id, label, type, more = "") =>
  `<label for="${id}">${label}</label><input id="${id}" type="${type}" ${more}>`;

const PAGES = {
  login: () => `<h1>Log in</h1>
    ${field("loginIdInput", "Login ID", "text", 'autocomplete="username"')}
    ${field("passwordInput", "Password", "password", 'autocomplete="current-password"')}
    <button id="btnLogin">Log in</button>`,
  code: () => `<h1>Enter your code</h1>
    ${field("placeholderCode", "Security Code", "number", 'inputmode="numeric"')}
    <button id="continueButton">Continue</button>`,
  picker: () => `<h1>Confirm Your Identity</h1>
    <div role="button" tabindex="0" id="mobile_approve">Approve in the app</div>
    <div role="button" tabindex="0" id="otp_sms">Text me a code</div>`,
  phone: () => `<h1>Check your phone</h1>
    <p>A notification was sent to your mobile device. This page goes on by itself.</p>`,
  device: () => `<h1>Security Preference</h1>
    <p>Do you want us to remember this device?</p>
    <label><input type="radio" name="remember" id="remember-device-yes" value="yes">
      <span id="remember-device-yes-content">Yes, remember it</span></label>
    <label><input type="radio" name="remember" id="remember-device-no" value="no" checked>
      <span>No</span></label>
    <button id="btnContinue">Continue</button>`,
  notice: () => `<h1>An update for you</h1><p>Our terms have changed on some day.</p>
    <button id="continueButton">Continue</button>`,
  consent: () => `<h1>Let an app have your accounts</h1>
    <label><input type="checkbox" id="acceptTerms"> By checking this box, you agree that the app
      may see your accounts and trade in them.</label>
    <button id="submit-btn">Continue</button>
    <dialog id="agree-modal"><p>Do you really agree?</p>
      <button id="agree-modal-btn-">Accept</button></dialog>`,
  accounts: ({ accounts }) => `<h1>Select accounts</h1><div id="form-container">
    ${accounts.map((one) => `<label><input type="checkbox" value="${one.id}">
      Brokerage account ending in ${one.ending}</label>`).join("")}</div>
    <button id="submit-btn">Continue</button>`,
  confirmation: () => `<h1>Confirmation</h1><p>The accounts are linked.</p>
    <button id="cancel-btn">Done</button>`,
  unexpected: () => `<h1>Answer a question</h1>
    ${field("question", "The name of your first pet", "text")}
    <button id="answer-btn">Answer</button> <button id="other-btn">Try another way</button>`,
};

const value = (selector) => root.querySelector(selector)?.value ?? "";
const isChecked = (selector) => root.querySelector(selector)?.checked ?? false;
const checked = () => [...root.querySelectorAll("#form-container input:checked")];

const FORMS = {
  btnLogin: () => ({ user: value("#loginIdInput"), password: value("#passwordInput") }),
  continueButton: () => ({ code: value("#placeholderCode") }),
  mobile_approve: () => ({ way: "mobile_approve" }),
  otp_sms: () => ({ way: "otp_sms" }),
  btnContinue: () => ({ remember: isChecked("#remember-device-yes") ? "yes" : "no" }),
  "agree-modal-btn-": () => ({ accepted: true }),
  "cancel-btn": () => ({}),
};

async function ask(path, sent) {
  const body = sent && JSON.stringify(sent);
  const answer = await fetch(path, { method: sent ? "POST" : "GET", body });
  if (answer.headers.get("Content-Type")?.startsWith("text/html")) {
    document.open();
    document.write(await answer.text());
    document.close();
    throw new Error("refused");
  }
  const read = await answer.json();
  if (!answer.ok) throw new Error(read.message);
  return read;
}

let shownRoute = "";

function show(page) {
  shownRoute = page.route;
  if (location.hash !== `#${page.route}`) location.hash = page.route;
  root.innerHTML = PAGES[page.page](page);
  if (page.error) {
    const words = document.createElement("p");
    words.className = "error";
    words.setAttribute("role", "alert");
    words.textContent = page.error;
    root.prepend(words);
  }
  // Markup that nobody knows: other ids, other names.
  if (page.is_changed) {
    for (const one of root.querySelectorAll("[id]")) one.id = `x-${one.id.length}-${one.id.at(-1)}`;
    for (const one of root.querySelectorAll("label")) one.textContent = "Please fill in";
    for (const one of root.querySelectorAll("button")) one.textContent = "Next";
  }
  if (page.page === "phone") setTimeout(load, 500);
}

async function load() {
  try {
    show(await ask("/ui/page"));
  } catch (problem) {
    if (problem.message !== "refused") root.innerHTML = `<h1>Sorry</h1><p>${problem.message}</p>`;
  }
}

async function send(form) {
  const answer = await ask("/ui/step", form);
  if (answer.redirect) location.assign(answer.redirect);
  else await (answer.error ? show(answer) : load());
}

root.addEventListener("click", (event) => {
  const control = event.target.closest("button, [role=button]");
  if (!control) return;
  if (control.id === "submit-btn") {
    if (root.querySelector("#acceptTerms")) {
      if (isChecked("#acceptTerms")) root.querySelector("#agree-modal").showModal();
    } else send({ accounts: checked().map((one) => one.value) });
  } else if (FORMS[control.id]) send(FORMS[control.id]());
});
root.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("input")) root.querySelector("button")?.click();
});
addEventListener("hashchange", () => {
  if (location.hash !== `#${shownRoute}`) load();
});
load();
