import "./format";
import "./rows";
import "./router";
import "./ranked";
