// What people do, as the same request any program would send. An update keeps its id until it is answered, so whoever
// is in doubt sends it again and it counts once.
import { toast, words } from "./page.js";

const csrf = document.querySelector("meta[name=csrf]").content;

export const send = async (path, body) => (await post(path, "application/json", JSON.stringify(body))).json();

// The same where the answer is part of a page.
export const sendFor = async (path, body) => (await post(path, "application/json", JSON.stringify(body))).text();

async function post(path, type, body) {
  const headers = { "Content-Type": type, "X-CSRF-Token": csrf, "X-Part": "1" };
  const answer = await fetch(path, { method: "POST", headers, body });
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw Object.assign(new Error((await answer.json()).detail), { answered: true });
  return answer;
}

// The fields of a form as an update has them.
export function fieldsOf(form) {
  const made = {};
  for (const field of form.elements) {
    if (!field.name || !field.value || field.type === "file" || ((field.type === "radio" || field.type === "checkbox") && !field.checked)) continue;
    const kind = field.dataset.kind ?? (field.name === "number" ? "number" : "");
    if (field.type === "select-multiple") made[field.name] = [...field.selectedOptions].map((option) => option.value);
    else if (kind === "departments") (made[field.name] ??= []).push(field.value);
    else if (kind === "yes_no") made[field.name] = field.value === "true";
    else if (kind === "number" || kind === "severity") made[field.name] = Number(field.value);
    else if (kind === "until") made[field.name] = new Date(field.value).toISOString();
    else if (kind === "position") made[field.name] = JSON.parse(field.value);
    else if (kind === "report") made[field.name] = reportOf(field.value);
    else made[field.name] = field.value;
  }
  return made;
}

// Pictures are handed in first, and then named by their links; the same picture is kept once, however often it is sent.
async function picturesOf(form) {
  const links = [];
  for (const field of form.querySelectorAll("input[type=file]"))
    for (const file of field.files) links.push((await (await post("/v1/media", file.type, file)).json()).url);
  return links.length ? { media: links } : {};
}

function reportOf(text) {
  const at = text.indexOf("/");
  return { source: text.slice(0, at), report_id: text.slice(at + 1) };
}

// Returns whether it was taken; what went wrong is said, in the form if it has a place for it.
export async function act(form, incidentId) {
  form.dataset.updateId ||= crypto.randomUUID();
  const at = new Date().toISOString();
  const { action, updateId } = form.dataset;
  const buttons = [...form.querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  let said;
  try {
    const fields = { ...fieldsOf(form), ...(await picturesOf(form)) };
    const update = { update_id: updateId, incident_id: incidentId, action, at, ...fields };
    const answer = await send(`/v1/updates?wait_s=5&as=${encodeURIComponent(form.dataset.role)}`, update);
    const [outcome] = answer.updates;
    if (outcome.state === "taken" || outcome.state === "on_its_way") {
      toast(outcome.state === "taken" ? words.done : words.onItsWay);
      return true;
    }
    form.dataset.updateId = ""; // the engine has answered: another try is another update
    said = words.refused.replace("{detail}", outcome.detail || outcome.reason);
  } catch (error) {
    if (error.answered) form.dataset.updateId = "";
    said = error.answered ? words.failed.replace("{detail}", error.message) : words.offline;
  } finally {
    for (const button of buttons) button.disabled = false;
  }
  const place = form.querySelector(".wrong");
  if (place) [place.textContent, place.hidden] = [said, false];
  else toast(said, true);
  return false;
}

export function attachPosition(button) {
  const told = button.parentElement.querySelector("[role=status]");
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      const { longitude: lon, latitude: lat, accuracy } = coords;
      button.parentElement.querySelector("input").value = JSON.stringify({ lon, lat, accuracy_m: Math.min(accuracy, 100000) });
      told.textContent = words.positionTaken;
    },
    () => (told.textContent = words.positionFailed),
    { enableHighAccuracy: true, timeout: 10000 },
  );
}
