// What the page of accounts needs beyond the others: switches, ticks, and the plot.
import { countTicks } from "./m/ticks.js";
import { drawWorth } from "./m/aum.js";
import { flipSwitches } from "./m/switches.js";

flipSwitches();
countTicks();
drawWorth();
