// An answer as DOM nodes: paragraphs, headings, "- " and "1. " lists, **bold**, [1] citations, and links to
// http(s) addresses, bare or as [words](address).
// Everything is set as text; nothing is ever read as markup.

const INLINE = /\[(?<words>[^[\]\n]{1,200})\]\((?<target>https?:\/\/(?:[!-'*-;=?-~]|\([!-'*-;=?-~]*\))+)\)|\*\*(?<bold>[^\n]+?)\*\*|\[(?<cited>\d{1,3})\]|(?<url>https?:\/\/[!-;=?-~]+)/g;
const AFTER_URL = /[([{)\]}.,;:!?'*]+$/;
const ITEM = /^\s{0,3}(?:[-•*]|(?<number>\d{1,3})[.)])\s+/;
const HEADING = /^#{1,6}\s+/;

export class AnswerText {
  #place;
  #citation;
  #settled = '';
  #tail = [];

  // `citation(number)` gives the node for "[number]", or null when there is no such source.
  constructor(place, citation) {
    this.#place = place;
    this.#citation = citation;
  }

  // Only what follows the last blank line is built anew: a frame costs a block, not the whole answer.
  show(text, { isGrowing }) {
    if (!text.startsWith(this.#settled)) {
      this.#settled = '';
      this.#place.replaceChildren();
    }
    for (const node of this.#tail) node.remove();
    const end = text.lastIndexOf('\n\n') + 2;
    if (end > 1 && end > this.#settled.length) {
      this.#place.append(...this.#blocks(text.slice(this.#settled.length, end)));
      this.#settled = text.slice(0, end);
    }
    let rest = text.slice(this.#settled.length);
    if (isGrowing) rest = whileGrowing(rest);
    this.#tail = this.#blocks(rest);
    this.#place.append(...this.#tail);
  }

  #blocks(text) {
    const blocks = [];
    let list = null;
    let lines = [];
    const endParagraph = () => {
      if (lines.length) blocks.push(this.#filled('p', lines.join('\n')));
      lines = [];
    };
    for (const line of text.split('\n')) {
      const item = ITEM.exec(line);
      if (item) {
        endParagraph();
        const { number } = item.groups;
        const kind = number ? 'ol' : 'ul';
        if (list?.localName !== kind) blocks.push(list = document.createElement(kind));
        list.append(this.#filled('li', line.slice(item[0].length)));
        // As it was written: a list goes on after a blank line or a paragraph.
        if (number) list.lastChild.value = Number(number);
        continue;
      }
      list = null;
      const heading = HEADING.exec(line);
      if (heading) {
        endParagraph();
        blocks.push(this.#filled('h3', line.slice(heading[0].length)));
      } else if (line.trim()) lines.push(line);
      else endParagraph();
    }
    endParagraph();
    return blocks;
  }

  #filled(tag, text) {
    const element = document.createElement(tag);
    element.append(...this.#inline(text));
    return element;
  }

  #node({ words, target, bold, cited, written }) {
    if (target) return link(target, words);
    if (bold) return this.#filled('strong', bold);
    return cited ? this.#citation(Number(cited)) : link(written);
  }

  #inline(text) {
    const nodes = [];
    let from = 0;
    for (const match of text.matchAll(INLINE)) {
      const { words, target, bold, cited, url } = match.groups;
      const written = url ? url.replace(AFTER_URL, '') : match[0];
      const node = this.#node({ words, target, bold, cited, written });
      if (!node) continue;
      const before = text.slice(from, match.index);
      // A number by itself on a line would belong to nothing.
      nodes.push(cited ? before.replace(/ $/, '\u00a0') : before, node);
      from = match.index + written.length;
    }
    nodes.push(text.slice(from));
    return nodes.filter((node) => node !== '');
  }
}

// What is half written would be shown as signs and then jump: an item without words, an open bold phrase, the
// address of a link, a number in brackets.
function whileGrowing(text) {
  const calm = text
    .replace(/(^|\n)(?:\s{0,3}(?:[-•*]\s*|\d{1,3}[.)]\s*|\*\*)|#{1,6}\s*)$/, '$1')
    .replace(/\[([^[\]\n]{1,200})\]\((?:h[!-(*-;=?-~]*)?$/, '$1')
    .replace(/ ?\[\d{0,3}$/, '');
  const line = calm.slice(calm.lastIndexOf('\n') + 1);
  return line.split('**').length % 2 === 0 ? `${calm}**` : calm;
}

// A link that opens outside, or null for anything but http(s).
export function link(url, text = url) {
  if (!URL.canParse(url) || !['http:', 'https:'].includes(new URL(url).protocol)) return null;
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.target = '_blank';
  anchor.rel = 'noopener noreferrer';
  anchor.textContent = text;
  // Words may promise another place than the address.
  if (text !== url) anchor.title = url;
  return anchor;
}
