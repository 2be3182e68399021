import { startPage } from "./playground.js";

startPage();
