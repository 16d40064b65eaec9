// Slack's mrkdwn as DOM nodes: what Slack's own client would show, escapes undone exactly once.

import { element } from "./elements.js";
import { EMOJI } from "./emoji.js";

const PRE = /```\n?([\s\S]+?)\n?```/g;
const QUOTE = /^(?:>|&gt;) ?/;
// A mark counts only at the edges of a word; `snake_case_names` and `2*3*4` stay as they are.
const mark = (sign) =>
  `(?<![\\p{L}\\p{N}${sign}])${sign}(?!\\s)([^${sign}\\n]+?)(?<!\\s)${sign}(?![\\p{L}\\p{N}${sign}])`;
const CODE = "`([^`\\n]+)`";
const ENTITY = "<([^<>\\n]+)>";
const SHORTCODE = ":([a-z0-9_+'-]+):";
const STYLED = new RegExp(
  [CODE, ENTITY, SHORTCODE, mark("\\*"), mark("_"), mark("~")].join("|"),
  "gu",
);
const UNSTYLED = new RegExp(["(?!)()", ENTITY, SHORTCODE].join("|"), "gu");
const ONLY_EMOJI = new RegExp(SHORTCODE, "gu");
// Anything else between < and > stays text: javascript: must not become a link.
const LINK = /^(?:https?:\/\/|mailto:|tel:)/i;

/** Nodes of a mrkdwn text; with `styled` off only links, mentions and emoji are live. */
export function mrkdwn(text, { styled = true } = {}) {
  if (!styled) return inline(text, UNSTYLED);
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(PRE)) {
    nodes.push(...lines(text.slice(from, found.index).replace(/\n$/, "")));
    nodes.push(element("pre", {}, unescaped(found[1])));
    from = found.index + found[0].length;
  }
  nodes.push(...lines(text.slice(from).replace(from ? /^\n/ : /(?!)/, "")));
  return nodes;
}

/** Nodes of a plain_text: nothing is live but emoji. */
export function plain(text, { emoji = true } = {}) {
  return emoji ? inline(text, ONLY_EMOJI) : [unescaped(text)];
}

function lines(text) {
  if (!text) return [];
  const nodes = [];
  let quote = null;
  text.split("\n").forEach((line, number) => {
    if (QUOTE.test(line)) {
      const content = inline(line.replace(QUOTE, ""), STYLED);
      if (quote) quote.append("\n", ...content);
      else nodes.push((quote = element("blockquote", {}, content)));
      return;
    }
    // A block quote breaks the line by itself.
    if (number && !quote) nodes.push("\n");
    quote = null;
    nodes.push(...inline(line, STYLED));
  });
  return nodes;
}

function inline(text, pattern) {
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(pattern)) {
    if (found.index > from) nodes.push(unescaped(text.slice(from, found.index)));
    nodes.push(pattern === ONLY_EMOJI ? emoji(found[0], found[1]) : piece(found));
    from = found.index + found[0].length;
  }
  if (from < text.length) nodes.push(unescaped(text.slice(from)));
  return nodes;
}

function piece([whole, code, entity, shortcode, bold, italic, struck]) {
  if (code) return element("code", {}, unescaped(code));
  if (entity) return live(entity);
  if (shortcode) return emoji(whole, shortcode);
  if (bold) return element("strong", {}, inline(bold, STYLED));
  if (italic) return element("em", {}, inline(italic, STYLED));
  return element("s", {}, inline(struck, STYLED));
}

function live(entity) {
  const bar = entity.indexOf("|");
  const target = bar < 0 ? entity : entity.slice(0, bar);
  const label = bar < 0 ? "" : unescaped(entity.slice(bar + 1));
  if (target.startsWith("@")) return mention(`@${label || target.slice(1)}`);
  if (target.startsWith("#")) return mention(`#${label || target.slice(1)}`);
  if (target.startsWith("!date^")) return element("time", {}, label || target);
  if (target.startsWith("!subteam^")) return mention(label || `@${target.slice(9)}`);
  if (target.startsWith("!")) return mention(`@${target.slice(1)}`, { loud: true });
  if (!LINK.test(target)) return unescaped(`<${entity}>`);
  const href = unescaped(target);
  return element(
    "a",
    { href, title: href, target: "_blank", rel: "noopener noreferrer" },
    label || href,
  );
}

function mention(text, { loud = false } = {}) {
  return element("span", { class: loud ? "mention loud" : "mention" }, text);
}

function emoji(whole, shortcode) {
  const sign = EMOJI[shortcode];
  if (!sign) return whole;
  return element("span", { class: "emoji", role: "img", "aria-label": whole, title: whole }, sign);
}

const SIGNS = { amp: "&", lt: "<", gt: ">" };

/** In one pass: `&amp;lt;` is the text `&lt;`, not `<`. */
function unescaped(text) {
  return text.replace(/&(amp|lt|gt);/g, (_, name) => SIGNS[name]);
}
