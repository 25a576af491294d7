/** The page's only behaviour: check a pasted counterfoil and say what was found. Everything else works without it. */

import { verdictOn } from './verdict.js';

const MARKS = { passed: 'Passed', failed: 'Failed', not_run: 'Not run' };

/** @param {string} tag @param {string} className @param {...(Node | string)} inside */
function element(tag, className, ...inside) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...inside); // as text: nothing that was pasted becomes markup
  return made;
}

/** @param {import('./verdict.js').Verdict} verdict */
function shown({ ok, headline, detail, steps }) {
  const items = steps.map(({ state, text }) =>
    element('li', state, element('span', '', text), element('span', '', MARKS[state])),
  );
  const notice = element('div', `notice ${ok ? 'passed' : 'failed'}`, element('strong', '', headline), element('p', '', detail));
  return items.length === 0 ? [notice] : [notice, element('ul', 'checks', ...items)];
}

const form = document.querySelector('#verify-form');
if (form instanceof HTMLFormElement) {
  const pasted = /** @type {HTMLTextAreaElement} */ (form.querySelector('#counterfoil'));
  const place = /** @type {HTMLElement} */ (form.querySelector('#verdict'));
  const example = form.querySelector('#example');
  const { key = '', programme = '', final = '0' } = form.dataset;

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    place.replaceChildren(...shown(verdictOn(pasted.value, key, programme, Number(final))));
  });
  pasted.addEventListener('input', () => place.replaceChildren());
  if (example instanceof HTMLButtonElement) {
    example.addEventListener('click', () => {
      pasted.value = JSON.stringify(JSON.parse(example.dataset.example ?? '{}'), null, 2);
      place.replaceChildren();
      pasted.focus();
    });
  }
  for (const button of form.querySelectorAll('button')) button.disabled = false;
}
