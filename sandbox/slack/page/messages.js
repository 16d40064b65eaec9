// One message as a list item, and a conversation: a message with the replies of its thread.

import { blocks } from "./blocks.js";
import { element } from "./elements.js";
import { mrkdwn } from "./mrkdwn.js";

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
// A longer thread shows its last replies, until asked for all.
const REPLIES_SHOWN = 20;

/** Drawn once for each version of a post, since posts are replaced, never changed. */
export class Messages {
  #drawn = new WeakMap();
  #open = new Set();
  #threads = new Map();

  /** `place` is the channel's name where it is not plain from the page, `reply` marks a reply. */
  item(post, { copies, place = null, reply = false }) {
    const asked = `${copies} ${place} ${reply}`;
    const known = this.#drawn.get(post);
    if (known?.asked === asked) return known.node;
    const node = draw(post, { copies, place, reply });
    this.#drawn.set(post, { asked, node });
    return node;
  }

  /** The items of a conversation, its parent's first. */
  conversation(post, replies, copiesOf, whenOpened) {
    const items = [this.item(post, { copies: copiesOf(post) })];
    if (!replies.length) return items;
    const hidden = this.#open.has(post.key) ? 0 : Math.max(0, replies.length - REPLIES_SHOWN);
    items.push(this.#thread(post.key, replies, hidden, whenOpened));
    for (const one of replies.slice(hidden)) {
      items.push(this.item(one, { copies: copiesOf(one), reply: true }));
    }
    return items;
  }

  #thread(key, replies, hidden, whenOpened) {
    const asked = `${replies.length} ${hidden}`;
    const known = this.#threads.get(key);
    if (known?.asked === asked) return known.node;
    const count = replies.length === 1 ? "1 reply" : `${replies.length} replies`;
    const node = element("li", { class: "thread" }, element("span", {}, count));
    if (hidden) {
      const button = element("button", { type: "button" }, `show the first ${hidden}`);
      button.addEventListener("click", () => {
        this.#open.add(key);
        whenOpened();
      });
      node.append(button);
    }
    this.#threads.set(key, { asked, node });
    return node;
  }
}

export function dateOf(ts) {
  return new Date(Number(ts) * 1000);
}

export function daySeparator(date) {
  return element("li", { class: "day" }, element("span", {}, DAY.format(date)));
}

function draw(post, { copies, place, reply }) {
  const date = dateOf(post.ts);
  const classes = ["message", reply && "reply", copies > 1 && "duplicate"].filter(Boolean);
  return element(
    "li",
    { class: classes.join(" "), tabindex: "-1" },
    element("span", { class: "avatar", "aria-hidden": true }, post.bot_id.slice(0, 1)),
    element(
      "div",
      { class: "content" },
      element(
        "p",
        { class: "byline" },
        element("strong", {}, botName(post)),
        element("span", { class: "app" }, "app"),
        element("time", { datetime: date.toISOString(), title: date.toISOString() }, CLOCK.format(date)),
        place ? element("span", { class: "where" }, place) : null,
        post.broadcast ? element("span", { class: "where" }, "also sent to the channel") : null,
      ),
      body(post),
      meta(post, copies),
    ),
  );
}

function botName(post) {
  return `postonce ${post.bot_id}`;
}

function body(post) {
  const edited = post.edited_ts ? element("span", { class: "edited" }, " (edited)") : null;
  if (!post.blocks) {
    return element("div", { class: "text" }, mrkdwn(post.text, { styled: post.mrkdwn }), edited);
  }
  return element("div", { class: "blocks" }, blocks(post.blocks), edited);
}

function meta(post, copies) {
  return element(
    "p",
    { class: "meta" },
    element("code", { title: "ts" }, post.ts),
    post.marker === null
      ? element("span", {}, "no marker")
      : element("code", { title: "marker" }, post.marker),
    copies > 1 ? element("strong", { class: "copies" }, `stored ${copies} times`) : null,
    post.blocks && post.text
      ? element(
          "details",
          {},
          element("summary", {}, "notification text"),
          element("div", { class: "text" }, mrkdwn(post.text, { styled: post.mrkdwn })),
        )
      : null,
  );
}
