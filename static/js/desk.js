// What the desks need beyond what every page has.
import { countDown } from "./m/undo.js";
import { showTips } from "./m/tips.js";

showTips();
countDown();
