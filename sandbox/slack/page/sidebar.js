// The workspaces and their channels, with counts; a channel changed since it was looked at is bold.

import { arrange, element } from "./elements.js";

export const ALL = "all";
// With fewer channels a box to find one in is clutter.
const WORTH_FINDING = 12;

export class Sidebar {
  #store;
  #choose;
  #list = document.getElementById("channels");
  #find = document.getElementById("find");
  #rows = new Map();
  #headings = new Map();
  #seen = new Map();
  #first = true;

  constructor(store, choose) {
    this.#store = store;
    this.#choose = choose;
    this.#find.addEventListener("input", () => store.dispatchEvent(new Event("change")));
  }

  draw(chosen) {
    const { channels, teams, posts } = this.#store;
    this.#find.hidden = channels.size < WORTH_FINDING;
    const wanted = this.#find.value.trim().toLowerCase();
    const nodes = [this.#row(ALL, "All channels", posts.size, chosen)];
    for (const team of [...teams.values()].sort(byName)) {
      const rows = [...channels.values()]
        .filter((channel) => channel.team === team.id)
        .filter((channel) => !wanted || `${label(channel)} ${channel.id}`.toLowerCase().includes(wanted))
        .sort(byName)
        .map((channel) =>
          this.#row(channel.key, label(channel), channel.posts.size, chosen, channel),
        );
      if (rows.length) nodes.push(this.#heading(team), ...rows);
    }
    arrange(this.#list, nodes);
    // What was there before the page was opened is not news.
    if (channels.size) this.#first = false;
  }

  /** The keys of the channels as they stand in the list. */
  order() {
    return [...this.#list.querySelectorAll("button")].map((button) => button.dataset.key);
  }

  #heading(team) {
    const known = this.#headings.get(team.id);
    const text = team.name ?? team.id;
    if (known?.textContent === text) return known;
    const node = element("h2", { title: team.id }, text);
    this.#headings.set(team.id, node);
    return node;
  }

  #row(key, text, count, chosen, channel = null) {
    let row = this.#rows.get(key);
    if (!row) {
      row = element(
        "button",
        { type: "button", "data-key": key },
        element("span", { class: "name" }),
        element("span", { class: "count" }),
      );
      row.addEventListener("click", () => this.#choose(key));
      this.#rows.set(key, row);
    }
    if (key === chosen || chosen === ALL || this.#first) this.#seen.set(key, count);
    const [name, counted] = row.children;
    set(name, key === ALL ? text : `# ${text}`);
    set(counted, String(count));
    row.title = channel ? `${channel.team} ${channel.id}` : "Every message, as it came";
    row.classList.toggle("news", key !== ALL && count > (this.#seen.get(key) ?? 0));
    row.classList.toggle("closed", Boolean(channel?.archived || channel?.member === false));
    if (key === chosen) row.setAttribute("aria-current", "page");
    else row.removeAttribute("aria-current");
    return row;
  }
}

export function label(channel) {
  return channel.name ?? channel.id;
}

function byName(one, other) {
  return (one.name ?? one.id).localeCompare(other.name ?? other.id);
}

function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
