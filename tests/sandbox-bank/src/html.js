/** HTML with every value escaped, unless it is HTML made here. */

class Html {
  constructor(text) {
    this.text = text;
  }
}

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A template tag: strings are escaped, lists joined, false and undefined left out. */
export function html(parts, ...values) {
  return new Html(parts.reduce((all, part, i) => all + part + (i < values.length ? render(values[i]) : ''), ''));
}

function render(value) {
  if (value === undefined || value === null || value === false) return '';
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(render).join('');
  return String(value).replace(/[&<>"']/g, (c) => ENTITIES[c]);
}
