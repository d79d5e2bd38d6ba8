const MINUTES_IN = { day: 1440, hour: 60, minute: 1 } as const;
// A token's two instants are taken one after the other.
const TOLERANCE_MINUTES = 5;

/** An instant in the receiver's words, such as `Sunday, 29 November 2026 at 14:05 UTC`. */
export function instantInWords(locale: string, instant: Date): string {
  return new Intl.DateTimeFormat(locale, {
    weekday: 'long',
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZone: 'UTC',
    timeZoneName: 'short',
  }).format(instant);
}

/** How long from one instant to the other, such as `7 days`, in the largest unit of which there are two or more. */
export function durationInWords(locale: string, from: Date, to: Date): string {
  const minutes = Math.round((to.getTime() - from.getTime()) / 60_000);
  const unit =
    (['day', 'hour'] as const).find((unit) => isWhole(minutes / MINUTES_IN[unit], MINUTES_IN[unit])) ?? 'minute';
  const count = Math.round(minutes / MINUTES_IN[unit]);
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
}

function isWhole(count: number, minutesEach: number): boolean {
  const whole = Math.round(count);
  return whole >= 2 && Math.abs(count - whole) * minutesEach <= TOLERANCE_MINUTES;
}
