// Block Kit as DOM nodes, read-only: buttons are shown, and do nothing.

import { element } from "./elements.js";
import { mrkdwn, plain } from "./mrkdwn.js";

export function blocks(given) {
  return given.map((block) => (BLOCKS[block.type] ?? unknown)(block));
}

const BLOCKS = {
  section: (block) =>
    element(
      "div",
      { class: "section" },
      element(
        "div",
        { class: "grow" },
        block.text ? element("div", { class: "text" }, textObject(block.text)) : null,
        block.fields ? fields(block.fields) : null,
      ),
      block.accessory ? control(block.accessory) : null,
    ),
  header: (block) => element("h3", { class: "header" }, textObject(block.text)),
  divider: () => element("hr"),
  context: (block) =>
    element(
      "div",
      { class: "context" },
      block.elements.map((one) =>
        one.type === "image" ? picture(one) : element("span", {}, textObject(one)),
      ),
    ),
  actions: (block) => element("div", { class: "actions" }, block.elements.map(control)),
  image: (block) =>
    element(
      "figure",
      {},
      block.title ? element("figcaption", {}, textObject(block.title)) : null,
      picture(block),
    ),
  markdown: (block) => element("div", { class: "text" }, block.text),
};

function textObject(text) {
  return text.type === "mrkdwn"
    ? mrkdwn(text.text)
    : plain(text.text, { emoji: text.emoji !== false });
}

function fields(given) {
  return element(
    "div",
    { class: "fields" },
    given.map((field) => element("div", { class: "text" }, textObject(field))),
  );
}

function control(one) {
  if (one.type === "image") return picture(one);
  const label = one.text ?? one.placeholder;
  const style = one.style ? `button ${one.style}` : "button";
  return element(
    "span",
    { class: style, title: one.url ?? one.action_id ?? one.type },
    label ? textObject(label) : one.type.replaceAll("_", " "),
  );
}

// Pictures are not fetched: the page loads nothing from elsewhere.
function picture(one) {
  return element("span", { class: "picture", title: one.image_url }, `🖼 ${one.alt_text}`);
}

function unknown(block) {
  return element("p", { class: "unknown" }, `${block.type} block, not drawn here`);
}
