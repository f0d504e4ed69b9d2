import "./format";
import "./router";
import "./ranked";
