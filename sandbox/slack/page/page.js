// The page: what is chosen, by pointer, keyboard or address, and the counters above it.

import { element } from "./elements.js";
import { Feed } from "./feed.js";
import { ALL, Sidebar, label } from "./sidebar.js";
import { Store } from "./store.js";

const at = (id) => document.getElementById(id);
const store = new Store();
const feed = new Feed(store);
const sidebar = new Sidebar(store, choose);
const filter = at("filter");
let duplicatesOnly = false;

function chosen() {
  const key = decodeURIComponent(location.hash.slice(1));
  return store.channels.has(key) ? key : ALL;
}

function choose(key) {
  duplicatesOnly = false;
  filter.value = "";
  // Without an entry of history for each glance at a channel.
  history.replaceState(null, "", key === ALL ? "#" : `#${key}`);
  draw();
}

function draw() {
  const key = chosen();
  sidebar.draw(key);
  const view = { chosen: key, filter: filter.value.trim().toLowerCase(), duplicatesOnly };
  const count = feed.draw(view);
  drawPlace(key, count, view);
  drawCounters();
  drawEmpty(count, view);
  const connection = at("connection");
  connection.textContent = store.state;
  connection.dataset.state = store.state;
}

function drawPlace(key, count, view) {
  const channel = store.channels.get(key);
  at("place").textContent = channel ? `# ${label(channel)}` : "All channels";
  const about = [];
  if (channel) {
    const team = store.teams.get(channel.team);
    about.push(team?.name ?? channel.team);
    if (channel.name) about.push(channel.id);
    if (channel.archived) about.push("archived");
    if (channel.member === false) about.push("the bot is not a member");
  }
  if (view.duplicatesOnly) about.push("duplicates only");
  const total = channel ? channel.posts.size : store.posts.size;
  const searched = view.filter || view.duplicatesOnly;
  const messages = total === 1 ? "1 message" : `${number(total)} messages`;
  about.push(searched ? `${number(count)} of ${messages}` : messages);
  at("about").textContent = about.join(" · ");
}

function drawCounters() {
  const { stored, received, faults, duplicates } = store.totals;
  at("count-stored").textContent = number(stored);
  at("count-received").textContent = number(received);
  at("count-channels").textContent = number(store.channels.size);
  at("count-faults").textContent = number(faults);
  const button = at("count-duplicates");
  button.textContent = number(duplicates);
  button.disabled = duplicates === 0;
  button.setAttribute("aria-pressed", String(duplicatesOnly));
  at("duplicates").classList.toggle("wrong", duplicates > 0);
  document.title = duplicates ? `${duplicates} duplicated · Slack stand-in` : "Slack stand-in";
}

function drawEmpty(count, view) {
  const box = at("empty");
  box.hidden = count > 0;
  if (count > 0) return;
  if (store.posts.size) {
    const why = view.filter ? `Nothing here holds “${view.filter}”.` : "No message here.";
    box.replaceChildren(element("p", {}, why));
    return;
  }
  const call = `curl -H 'Authorization: Bearer xoxb-T0SANDBOX' -d channel=C1 -d text=hello ${location.origin}/api/chat.postMessage`;
  box.replaceChildren(
    element("p", {}, "Nothing has been posted yet. What is posted appears here at once:"),
    element("pre", {}, call),
  );
}

function number(value) {
  return value.toLocaleString();
}

at("count-duplicates").addEventListener("click", () => {
  const wanted = !duplicatesOnly;
  choose(ALL);
  duplicatesOnly = wanted;
  draw();
});
filter.addEventListener("input", draw);
window.addEventListener("hashchange", draw);
store.addEventListener("change", draw);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target instanceof HTMLInputElement;
  if (event.key === "Escape") {
    filter.value = "";
    duplicatesOnly = false;
    filter.blur();
    draw();
  } else if (event.key === "/" && !typing) {
    event.preventDefault();
    filter.focus();
  } else if (["ArrowUp", "ArrowDown"].includes(event.key) && !typing && !at("messages").contains(event.target)) {
    event.preventDefault();
    const keys = sidebar.order();
    const step = event.key === "ArrowUp" ? -1 : 1;
    const next = keys[keys.indexOf(chosen()) + step];
    if (next === undefined) return;
    choose(next);
    const row = document.querySelector('#channels [aria-current="page"]');
    row?.focus();
  } else if (event.key === "End" && !typing) {
    feed.toEnd();
  }
});

store.follow();
