// What the pages need beyond HTML and htmx.
import { announce } from "./m/announce.js";
import { countAges } from "./m/ages.js";
import { flashChanges } from "./m/flash.js";
import { follow } from "./m/live.js";
import { holdClicks } from "./m/arming.js";
import { keepUnfolded } from "./m/details.js";
import { tellFailures } from "./m/failures.js";
import { listenForKeys } from "./m/keys.js";
import { openDialogs } from "./m/ui.js";
import { tellSessionEnd } from "./m/session.js";
import { showTips } from "./m/tips.js";
import { walkRows } from "./m/rows.js";

countAges();
flashChanges();
keepUnfolded();
walkRows();
listenForKeys();
holdClicks();
openDialogs();
showTips();
tellFailures();
announce();
follow();
tellSessionEnd();
