// The pictures of questions that may have to be sent again, by the id of their turn; local storage has no
// room for them.

const DATABASE = 'eco2';
const STORE = 'pictures';

let opening = null;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

async function run(mode, work) {
  try {
    const store = (await open()).transaction(STORE, mode).objectStore(STORE);
    const request = work(store);
    return await new Promise((resolve, reject) => {
      store.transaction.oncomplete = () => resolve(request?.result ?? null);
      store.transaction.onabort = () => reject(store.transaction.error);
    });
  } catch {
    // No storage, or no room: a reload or a retry asks for the picture again.
    return null;
  }
}

export const put = (id, blob) => run('readwrite', (store) => store.put(blob, id));

export const get = (id) => run('readonly', (store) => store.get(id));

export const remove = (ids) => run('readwrite', (store) => { for (const id of ids) store.delete(id); });

// Keeps those of these turns only: a conversation may go without a word, for want of room or in another tab.
export async function sweep(turnIds) {
  // First the pictures: a turn is kept before its picture is.
  const ids = await run('readonly', (store) => store.getAllKeys());
  if (!ids?.length) return;
  const known = new Set(turnIds());
  await remove(ids.filter((id) => !known.has(id)));
}
