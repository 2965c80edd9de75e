// An element with its class and its text; text is never read as markup.
export function element(tag, className = '', text = '') {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

const SVG = 'http://www.w3.org/2000/svg';

// A drawing of one line, 20 by 20, that says nothing by itself.
export function icon(line) {
  const made = document.createElementNS(SVG, 'svg');
  made.setAttribute('viewBox', '0 0 20 20');
  made.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', line);
  made.append(path);
  return made;
}
