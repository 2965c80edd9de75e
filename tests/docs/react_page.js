// A page around the guide's hook: asks, is loaded anew in mid-answer, and has the answer whole.
import { createElement } from 'react';
import { act, create } from 'react-test-renderer';
/* imports */
globalThis.IS_REACT_ACT_ENVIRONMENT = true;
const chatId = 'chat-' + Date.now();
let chat;
function Conversation() {
/* hook */
  return null;
}
const textOf = (message) =>
  message.parts.filter((part) => part.type === 'text').map((part) => part.text).join('');
const settled = async (holds) => {
  while (!holds()) await act(() => new Promise((resolve) => setTimeout(resolve, 20)));
};
let page;
await act(async () => { page = create(createElement(Conversation)); });
await act(async () => { chat.sendMessage({ text: '우유팩은 어떻게 버려?' }); });
await settled(() => chat.messages.at(-1)?.role === 'assistant' && textOf(chat.messages.at(-1)).length > 20);
const job = chat.messages.at(-1).id;
// The page is loaded anew in mid-answer.
await act(async () => page.unmount());
await act(async () => { page = create(createElement(Conversation)); });
await settled(() => chat.status === 'ready' && chat.messages.length === 1);
await act(async () => page.unmount());
const told = await (await fetch('http://127.0.0.1:8000/api/v1/chat/' + job)).json();
const text = textOf(chat.messages[0]);
console.log(JSON.stringify({ isSame: chat.messages[0].id === job, isWhole: text === told.answer, text }));
process.exit(0);
