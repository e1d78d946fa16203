// What the console does better with a script. Every page works without it.
import { clocks } from "./clocks.js";
import { forms } from "./forms.js";
import { keys } from "./keys.js";
import { live } from "./live.js";
import { palette } from "./palette.js";
import { alarm } from "./alarm.js";
import { desk } from "./desk.js";

document.documentElement.classList.add("scripted");
clocks();
forms();
palette();
keys();
alarm();
desk();
live();
