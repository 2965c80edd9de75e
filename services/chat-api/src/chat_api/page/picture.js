// A picture that was made for an answer.

import { element } from './dom.js';
import { words } from './words.js';

export function pictureFigure({ url, alt }) {
  const figure = element('figure', 'picture');
  const anchor = element('a');
  anchor.href = url;
  anchor.target = '_blank';
  anchor.rel = 'noopener noreferrer';
  const image = element('img');
  image.alt = alt;
  image.decoding = 'async';
  image.addEventListener('error', () => {
    const gone = element('p', 'gone', words.picture.gone);
    figure.replaceChildren(gone, ...(alt ? [element('figcaption', '', alt)] : []));
  });
  image.src = url;
  anchor.append(image);
  figure.append(anchor, ...(alt ? [element('figcaption', '', alt)] : []));
  return figure;
}
