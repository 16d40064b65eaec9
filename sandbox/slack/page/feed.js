// The messages of the chosen channel: the newest at the bottom, earlier ones drawn when wanted.

import { arrange } from "./elements.js";
import { Messages, dateOf, daySeparator } from "./messages.js";
import { ALL, label } from "./sidebar.js";

// Conversations drawn at first and with each step back; thousands at once would stall the page.
const STEP = 100;
const NEAR_END_PX = 60;

export class Feed {
  #store;
  #messages = new Messages();
  #days = new Map();
  #haystacks = new WeakMap();
  #box = document.getElementById("messages");
  #list = document.getElementById("list");
  #earlier = document.getElementById("earlier");
  #newer = document.getElementById("newer");
  #view = { chosen: ALL, filter: "", duplicatesOnly: false };
  #shown = STEP;
  #total = 0;
  #seen = 0;

  constructor(store) {
    this.#store = store;
    this.#earlier.addEventListener("click", () => this.#goBack());
    this.#newer.addEventListener("click", () => this.toEnd());
    this.#box.addEventListener("scroll", () => {
      if (this.#atEnd()) this.#markSeen();
      if (this.#box.scrollTop < NEAR_END_PX && !this.#earlier.hidden) this.#goBack();
    });
  }

  /** Return how many messages match. */
  draw(view) {
    const moved = Object.keys(view).some((name) => view[name] !== this.#view[name]);
    this.#view = view;
    const follow = moved || this.#atEnd();
    const heads = this.#heads();
    // Who reads further up keeps what is there, however much is posted meanwhile.
    this.#shown = follow ? STEP : this.#shown + Math.max(0, heads.length - this.#total);
    this.#total = heads.length;
    arrange(this.#list, this.#items(heads.slice(-this.#shown)));
    this.#earlier.hidden = heads.length <= this.#shown;
    this.#earlier.textContent = `${(heads.length - this.#shown).toLocaleString()} earlier`;
    if (follow) this.toEnd();
    this.#tellOfNewer();
    return heads.length;
  }

  toEnd() {
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#markSeen();
  }

  #isFlat() {
    const { chosen, filter, duplicatesOnly } = this.#view;
    return chosen === ALL || filter !== "" || duplicatesOnly;
  }

  // In a channel the beginnings of conversations; else each message by itself.
  #heads() {
    const { chosen, filter, duplicatesOnly } = this.#view;
    const posts = chosen === ALL ? this.#store.posts : this.#store.channels.get(chosen)?.posts;
    const all = posts ? [...posts.values()] : [];
    if (this.#isFlat()) {
      return all.filter(
        (post) =>
          (!duplicatesOnly || this.#store.copies(post) > 1) &&
          (!filter || this.#haystack(post).includes(filter)),
      );
    }
    // A reply whose parent is not there stands for itself.
    return all.filter((post) => !isReply(post) || !posts.has(post.thread_ts));
  }

  #items(heads) {
    const copiesOf = (post) => this.#store.copies(post);
    const threads = this.#isFlat() ? null : this.#threads();
    const items = [];
    let day = null;
    for (const head of heads) {
      const date = dateOf(head.ts);
      if (date.toDateString() !== day) {
        day = date.toDateString();
        items.push(this.#day(day, date));
      }
      if (threads) {
        const replies = threads.get(head.ts) ?? [];
        items.push(...this.#messages.conversation(head, replies, copiesOf, () => this.draw(this.#view)));
      } else {
        items.push(this.#messages.item(head, { copies: copiesOf(head), place: this.#place(head) }));
      }
    }
    return items;
  }

  #threads() {
    const threads = new Map();
    for (const post of this.#store.channels.get(this.#view.chosen)?.posts.values() ?? []) {
      if (!isReply(post)) continue;
      if (!threads.has(post.thread_ts)) threads.set(post.thread_ts, []);
      threads.get(post.thread_ts).push(post);
    }
    return threads;
  }

  #place(post) {
    const parts = [];
    if (this.#view.chosen === ALL) {
      const team = this.#store.teams.get(post.team);
      const channel = this.#store.channels.get(`${post.team}/${post.channel}`);
      parts.push(`${team?.name ?? post.team} # ${label(channel)}`);
    }
    if (isReply(post)) parts.push("in a thread");
    return parts.join(", ") || null;
  }

  #day(key, date) {
    if (!this.#days.has(key)) this.#days.set(key, daySeparator(date));
    return this.#days.get(key);
  }

  #haystack(post) {
    if (!this.#haystacks.has(post)) {
      const parts = [post.text, post.marker, post.ts, post.channel, post.team];
      if (post.blocks) parts.push(JSON.stringify(post.blocks));
      this.#haystacks.set(post, parts.join("\n").toLowerCase());
    }
    return this.#haystacks.get(post);
  }

  // What is looked at stays where it is while earlier messages come in above it.
  #goBack() {
    const fromEnd = this.#box.scrollHeight - this.#box.scrollTop;
    this.#shown += STEP;
    this.draw(this.#view);
    this.#box.scrollTop = this.#box.scrollHeight - fromEnd;
  }

  #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#box;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  #markSeen() {
    this.#seen = this.#total;
    this.#newer.hidden = true;
  }

  #tellOfNewer() {
    const news = this.#total - this.#seen;
    this.#newer.hidden = news <= 0;
    this.#newer.textContent = `${news.toLocaleString()} new ↓`;
  }
}

function isReply(post) {
  return post.thread_ts !== null && post.thread_ts !== post.ts;
}
