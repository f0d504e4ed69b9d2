import "./format";
import "./router";
import "./ranked";
import "./case_acts";
import "./zoned";
import "./review_reasons";
import "./statements";
