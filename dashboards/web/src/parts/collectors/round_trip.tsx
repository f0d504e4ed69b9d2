// Round trips as a picture: from the median to the 99th percentile on a scale of powers of ten, and the longest.

import type { RoundTrip } from "../../api/devices";
import { duration, place, SCALE } from "../../pure/round_trip";
import { t } from "../../words/collectors";

const WIDTH = 160;
const HEIGHT = 14;
/** A narrow bar is still seen. */
const LEAST = 3;

interface Props {
  roundTrip: RoundTrip;
  /** With the scale's figures below. */
  scale?: boolean;
}

export function RoundTripPicture({ roundTrip: { p50_us, p95_us, p99_us, max_us }, scale }: Props) {
  const x = (us: number) => place(us) * WIDTH;
  const bar = (name: string, from: number, to: number, height: number) => (
    <rect class={name} x={x(from)} y={(HEIGHT - height) / 2} width={Math.max(LEAST, x(to) - x(from))} height={height} rx="2" />
  );
  const says = t.roundTripOf(duration(p50_us), duration(p95_us), duration(p99_us), duration(max_us));
  return (
    <svg
      class={scale ? "round-trip large" : "round-trip"}
      role="img"
      aria-label={says}
      viewBox={`-8 0 ${WIDTH + 16} ${scale ? HEIGHT + 12 : HEIGHT}`}
    >
      <title>{says}</title>
      {SCALE.map(({ us }) => (
        <line key={us} class="tick" x1={x(us)} x2={x(us)} y1="0" y2={HEIGHT} />
      ))}
      <line class="rest" x1={x(p99_us)} x2={x(max_us)} y1={HEIGHT / 2} y2={HEIGHT / 2} />
      {bar("tail", p50_us, p99_us, 6)}
      {bar("most", p50_us, p95_us, 8)}
      <line class="longest" x1={x(max_us)} x2={x(max_us)} y1="2" y2={HEIGHT - 2} />
      {scale &&
        SCALE.map(({ us, says }) => (
          <text key={us} x={x(us)} y={HEIGHT + 9} text-anchor="middle">
            {says}
          </text>
        ))}
    </svg>
  );
}
