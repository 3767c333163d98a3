// An incident's page: drawn anew when it changes, except for what somebody is filling in.
import { act, attachPosition, send } from "./acting.js";
import { whenChanged } from "./changes.js";
import { part, toast, words } from "./page.js";

const whole = document.getElementById("incident");
let late = false; // it has changed while a dialog was open

async function draw() {
  late = false;
  const html = await part(whole.dataset.body);
  if (html === null) {
    whole.textContent = words.gone; // it is in other hands now
    return;
  }
  if (whole.querySelector("dialog[open]")) {
    late = true; // whoever is filling in goes on undisturbed
    return;
  }
  const purpose = whole.querySelector("#contacts input")?.value;
  const contacts = whole.querySelector("#contacts-shown")?.cloneNode(true);
  const focused = document.activeElement?.textContent;
  const why = whole.querySelector("#why")?.open ? whole.querySelector("#why pre").textContent : null;
  whole.innerHTML = html;
  if (why !== null) {
    whole.querySelector("#why pre").textContent = why; // it stays to be read until it is told anew
    whole.querySelector("#why").open = true;
  }
  if (purpose) whole.querySelector("#contacts input")?.setAttribute("value", purpose);
  if (contacts) whole.querySelector("#contacts-shown")?.replaceWith(contacts);
  showPictures();
  if (focused) [...whole.querySelectorAll("button, a")].find((each) => each.textContent === focused)?.focus();
}

// Pictures are asked for by themselves: whoever may see the incident may see them.
async function showPictures() {
  const place = document.getElementById("pictures");
  const answer = await fetch(`/v1/incidents/${encodeURIComponent(whole.dataset.id)}/media`);
  if (!place || !answer.ok) return;
  const { media } = await answer.json();
  place.replaceChildren(
    ...media.map(({ sha256 }, at) => {
      const [link, picture] = [document.createElement("a"), document.createElement("img")];
      link.href = picture.src = `/v1/media/${sha256}`;
      link.target = "_blank";
      picture.alt = `${place.dataset.of} ${at + 1}`;
      picture.loading = "lazy";
      link.append(picture);
      return link;
    }),
  );
}
showPictures();

whenChanged(250, (ids) => (ids === null || ids.includes(whole.dataset.id) ? draw() : undefined));

whole.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.dialog) document.getElementById(button.dataset.dialog).showModal();
  if (button.classList.contains("cancel")) button.closest("dialog").close();
  if (button.classList.contains("print")) print();
  if (button.classList.contains("position")) attachPosition(button);
});

// Why, in full: recomputed when somebody looks, and again when the page has changed under them.
whole.addEventListener("toggle", (event) => event.target.id === "why" && event.target.open && explain(event.target), true);
async function explain(details) {
  details.querySelector("pre").textContent = (await part(details.dataset.part)) ?? "";
}

whole.addEventListener("close", () => late && draw(), true); // of a dialog

whole.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.id === "contacts") return showContacts(form);
  if (await act(form, whole.dataset.id)) {
    form.closest("dialog")?.close();
    await draw();
  }
});

async function showContacts(form) {
  try {
    const said = await send(`/v1/incidents/${encodeURIComponent(whole.dataset.id)}/contacts`, { purpose: form.elements.purpose.value });
    const list = document.createElement("ul");
    for (const contact of said.contacts) {
      const line = document.createElement("li");
      line.textContent = [contact.report_id, contact.name, contact.phone, contact.email, contact.address, contact.text].filter(Boolean).join(" · ");
      list.append(line);
    }
    const shown = document.getElementById("contacts-shown");
    shown.replaceChildren(list);
    if (!said.contacts.length && !said.kept_back) shown.textContent = words.noContact;
    if (said.kept_back) shown.append(words.keptBack.replace("{count}", said.kept_back));
  } catch (error) {
    toast(words.failed.replace("{detail}", error.message), true);
  }
}
