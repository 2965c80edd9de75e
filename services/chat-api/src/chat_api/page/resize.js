// A picture made small enough to send, and a thumbnail of it, in the browser: what leaves the device is a
// new JPEG, without the place and time that a camera writes into its files.

const FILE_MAX_BYTES = 40 * 2 ** 20;
const SIDE_MAX_PX = 1600;
const SIDE_MIN_PX = 400;
const MAX_BYTES = 1_000_000;
const QUALITIES = [0.85, 0.7, 0.55];
const THUMBNAIL_PX = 320;
const THUMBNAIL_QUALITY = 0.7;

// `{blob, thumbnail}`, or an exception whose message says why not: `tooLarge` or `unreadable`.
export async function resized(file) {
  if (file.size > FILE_MAX_BYTES) throw new Error('tooLarge');
  const bitmap = await decoded(file);
  try {
    const blob = await fitting(bitmap);
    const thumbnail = drawn(bitmap, THUMBNAIL_PX).toDataURL('image/jpeg', THUMBNAIL_QUALITY);
    return { blob, thumbnail };
  } finally {
    bitmap.close();
  }
}

export function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

async function decoded(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    throw new Error('unreadable');
  }
}

async function fitting(bitmap) {
  for (let side = SIDE_MAX_PX; side >= SIDE_MIN_PX; side *= 0.75) {
    const canvas = drawn(bitmap, side);
    for (const quality of QUALITIES) {
      const blob = await new Promise((resolve) => { canvas.toBlob(resolve, 'image/jpeg', quality); });
      if (blob && blob.size <= MAX_BYTES) return blob;
    }
  }
  throw new Error('unreadable');
}

function drawn(bitmap, side) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext('2d');
  // A JPEG has no transparency, and black would swallow what is drawn in black.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}
