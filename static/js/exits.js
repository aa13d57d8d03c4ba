// What pages with EXIT buttons need beyond what every page has.
import { countDown } from "./m/undo.js";

countDown();
