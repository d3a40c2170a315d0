// What is kept between pages. Storage may be absent, full or forbidden: then nothing is kept.

const PREFIX = "ts_";

export const read = (name) => {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
};

/** Keep `value` under `name`, or remove it when it is null; gives it back. */
export const write = (name, value) => {
  try {
    if (value == null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {}
  return value;
};
