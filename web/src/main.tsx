import { render } from "solid-js/web";
import { App } from "./App";
import "./style/tokens.css";
import "./style/base.css";

render(() => <App />, document.getElementById("page")!);
