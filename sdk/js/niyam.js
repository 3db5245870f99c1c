// What a module in JavaScript needs beside the contract: exact decimals and findings.
//
// A decimal of the contract is `{ low, high, scale }`: `((high << 64) | low)` times 10^-scale. Here it is computed with as
// `{ units, scale }`, one BigInt; `read` and `write` go between the two. Never compute money with a number.

/** A decimal of the contract, to compute with. */
export const read = ({ low, high, scale }) => ({ units: (BigInt.asIntN(64, high) << 64n) | low, scale });

/** Back to the contract's form. */
export const write = ({ units, scale }) => ({
  low: BigInt.asUintN(64, units),
  high: BigInt.asIntN(64, units >> 64n),
  scale,
});

/** The decimal of a text such as `13` or `-0.50`. */
export function decimal(text) {
  const [, sign, whole, fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`${text} is no decimal`);
  return { units: BigInt(`${sign}${whole}${fraction}`), scale: fraction.length };
}

const unitsAt = ({ units, scale }, places) => units * 10n ** BigInt(places - scale);

/** `left + right`, with the decimals of the longer. */
export function add(left, right) {
  const scale = Math.max(left.scale, right.scale);
  return { units: unitsAt(left, scale) + unitsAt(right, scale), scale };
}

/** `left - right`, with the decimals of the longer. */
export const subtract = (left, right) => add(left, { units: -right.units, scale: right.scale });

/** `left * right`, exact. */
export const multiply = (left, right) => ({
  units: left.units * right.units,
  scale: left.scale + right.scale,
});

/** `rate` percent of `base`, exact. */
export const percent = (base, rate) => {
  const { units, scale } = multiply(base, rate);
  return { units, scale: scale + 2 };
};

/** Rounds half away from zero to `places` decimals and shows all of them: 21.735 becomes 21.74, 5 becomes 5.00. */
export function roundHalfUp(value, places) {
  if (value.scale <= places) return { units: unitsAt(value, places), scale: places };
  const divisor = 10n ** BigInt(value.scale - places);
  const magnitude = value.units < 0n ? -value.units : value.units;
  const rounded = (magnitude * 2n + divisor) / (divisor * 2n);
  return { units: value.units < 0n ? -rounded : rounded, scale: places };
}

/** A date of the contract as a number that sorts as the days do: 20260701. */
export const dayNumber = ({ year, month, day }) => year * 10000 + month * 100 + day;

/** A finding that stops the command. A function that may refuse throws a list of these. */
export const error = (code, message, pointer, citation) => ({
  code,
  severity: "error",
  pointer,
  message,
  citation,
});
