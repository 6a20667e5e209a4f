// What the scripts of the default theme share, for the type checker.

type Cell = [query: number, key: number];

/** The weights of all heads of a layer, decoded one by one; `coarse` are those of one byte. */
interface Layer {
  coarse: boolean;
  head(index: number): Float32Array;
}

/** What every token looks at and draws from: keys, weights in thousandths, and by view key × step + thousandths. */
interface TokenData {
  traces: Record<"keys" | "weights" | "content_keys" | "content_weights", number[][][]>;
  step: number;
  flows: Record<string, number[][][]>;
}

/**
 * A relation between tokens of the sentence; `parser` is empty for gold. Of each head by layer and head: 1 where the
 * source looks most at the target, 2 where it is looked at most by it, 3 both, 0 neither.
 */
interface Relation {
  kind: string;
  source: number[];
  target: number[];
  parser: string;
  heads: number[];
}

/** A small picture of a head: the level of the largest weight of each block, 0 to 255, and which blocks are absent. */
interface Thumbnail {
  levels: Uint8Array;
  rows: number;
  columns: number;
  absent(row: number, column: number): boolean;
}
type Colour = number[];

interface State {
  head: string;
  token: number;
  key: number;
  layer: number;
  relation: number;
  view: string;
  threshold: number;
  direction: string;
  trace: string;
  scale: string;
  curve: string;
  special: string;
  colour: string;
}

/** Where the matrix stands in the plot, in CSS pixels. */
interface Box {
  left: number;
  top: number;
  cell: number;
  wide: number;
  high: number;
  font: number;
  level: boolean;
  limit: number;
  every: number;
}

/** What the drawing of a heatmap reads of a figure. */
interface Heatmap {
  root: HTMLElement;
  plot: HTMLElement;
  spec: any;
  name: string;
  labels: string[];
  keyLabels: string[];
  queries: number;
  keys: number;
  causal: boolean;
  cross: boolean;
  /** The weights of the rows and columns that are shown; empty until they are decoded. */
  weights: Float32Array;
  /** None until it is drawn for the first time. */
  box: Box;
  cell: Cell | null;
  /** Whether something lies over the canvas. */
  covered?: boolean;
  coarse?: boolean;
  signed?: boolean;
  hatched?: boolean;
  most?: number;
  /** The tokens of the rows and columns; only of the figure of the selected head. */
  rows?: number[];
  columns?: number[];
  /** The row or column of the selected token, or -1. */
  picked(): number;
  /** Hides the canvas under what lies over it; only of a figure in a text. */
  cover(on: boolean): void;
  /** Draws it again in the next frame; only of a figure in a text. */
  redraw(): void;
}

/** The figure of the selected head. */
interface Figure extends Heatmap {
  rows: number[];
  columns: number[];
  special: { queries: Set<number>; keys: Set<number> };
  caption: HTMLElement;
  /** The weights of all tokens, hidden or not. */
  whole: Float32Array;
  weight(query: number, key: number): number;
  weightOf(query: number, key: number): number;
  chosen(): number;
  strongest(): Cell | null;
  choose(row: number, column: number): void;
  number(weight: number): string;
  words(query: number, key: number): string;
  say(text: string): void;
  draw(): void;
  load(weights: Float32Array, name: string, coarse?: boolean): void;
  warn(text: string): void;
  begin(): Promise<void>;
  point(query: number, key: number, loud?: boolean): void;
}

/** One way to show the selected head. */
interface View {
  show(figure: Figure): void;
  hide(figure: Figure): void;
  draw(figure: Figure): void;
}

/** What is told of each event. */
interface Events {
  begin: undefined;
  /** A head was chosen by pointer, finger or key. */
  chosen: string;
  colour: string;
  coloured: string;
  described: string;
  embedded: Heatmap;
  fragment: string;
  /** The weights of a layer are there. */
  layer: number;
  listed: Set<string>;
  matrix: boolean;
  point: Cell | null;
  print: boolean;
  scheme: undefined;
  selected: { name: string; title: string; family: string; href: string | null };
  sorted: { table: HTMLTableElement; name: string; order: string };
  state: Set<string>;
  weights: Figure;
}

/** Of core.js. What a selector finds is what the templates write; the browser tests hold both together. */
interface Core {
  one(selector: string, root?: ParentNode | null): any;
  all(selector: string, root?: ParentNode): HTMLElement[];
  make<Tag extends keyof HTMLElementTagNameMap>(
    tag: Tag,
    attributes?: Record<string, string | number>,
    ...children: (Node | string)[]
  ): HTMLElementTagNameMap[Tag];
  segmented(label: string, name: string, choices: string[][], choose: (value: string) => void): HTMLElement;
  framed(draw: () => void): () => void;
  on<Name extends keyof Events>(name: Name, listener: (detail: Events[Name]) => void): void;
  emit<Name extends keyof Events>(name: Name, detail?: Events[Name]): void;
  json(element: Element | null): any;
  ordinal(rank: number): string;
  isolated(text: string): string;
  plain(text: string): string;
  press(button: Element, on: boolean): void;
}

interface Gallery extends Core {
  // disk.js, state.js, decode.js
  address(href: string): string;
  state: State;
  set(wanted: Partial<State>): void;
  begin(initial: Partial<State>): void;
  fragment(): string;
  /** With its "#", or nothing. */
  link(): string;
  decode(figure: HTMLElement): Promise<Float32Array>;
  unpacked(base64: string, deflated: boolean): Promise<Uint8Array>;
  decodeHead(
    data: Uint8Array,
    index: number,
    shape: { queries: number; keys: number; causal: boolean; codec: string; heads?: number },
  ): Float32Array;

  // colour.js, paint.js, labels.js, matrix.js, pool.js
  colour: {
    rgb(name: string): Colour;
    css(name: string, alpha?: number): string;
    ramp(): Uint8Array;
    diverging(): Uint8Array;
    top(weights: Float32Array): number;
    most(figure: Heatmap): number;
    level(weight: number, most: number): number;
    signed(difference: number, most: number): number;
    readable(colour: Colour | number[]): string;
    dye(element: HTMLElement, weight: number, most: number): void;
  };
  scale: {
    place(weight: number, most: number): number;
    weightAt(place: number, most: number): number;
    ticks(most: number): number[];
    name(): string;
    names(): string[][];
  };
  legend: {
    make(choice?: boolean): HTMLElement;
    paint(legend: HTMLElement, ramp: Uint8Array, most: number, signed?: boolean): void;
    mark(legend: HTMLElement, weight: number, most: number, signed?: boolean): void;
  };
  paint: {
    picture(figure: Heatmap, box: Box, legend: HTMLElement): HTMLCanvasElement;
    hatch(pen: CanvasRenderingContext2D, box: Box): void;
    lattice(pen: CanvasRenderingContext2D, figure: Heatmap, box: Box): void;
    borders(pen: CanvasRenderingContext2D, figure: Heatmap, box: Box): void;
  };
  labels: {
    fontOf(size: number, weight?: number): string;
    write(pen: CanvasRenderingContext2D, figure: Heatmap, box: Box): void;
  };
  matrix: { paint(figure: Heatmap, canvas: HTMLCanvasElement, legend: HTMLElement): void };
  thumbnail(picture: Thumbnail, width: number, height: number): ImageData;

  // figure.js and special.js: there is no figure on pages without a head.
  figure: Figure;
  views: Record<string, View> & { matrix: View & { canvas(): HTMLCanvasElement | null } };
  borders(figure: Figure): { rows: number[]; columns: number[] };

  // arcs.js: only where relations are known.
  relations?: Relation[];
  arcs: {
    levels(spans: { left: number; right: number }[]): number[];
    thinned(labels: { x: number; y: number; width: number }[]): boolean[];
  };

  // tokendata.js: only on pages of all heads.
  tokenData(): Promise<TokenData>;
  tokenFile(version: string, data: TokenData): void;
  missing(token: string): string;

  // tiles.js, heads.js, grid.js, select.js, gridcolour.js: only where all heads of a model stand together.
  tile(name: string, version: string, codec: string, deflated: boolean, base64: string): Promise<void>;
  layer(index: number): Promise<Layer>;
  loadedLayer(index: number): Layer | undefined;
  heads: {
    names: string[];
    layers: number;
    heads: number;
    placeOf(name: string): [layer: number, head: number] | null;
    nameOf(layer: number, head: number): string;
    meanTitle(name: string): string;
    weightsOf(name: string): Promise<{ weights: Float32Array; coarse: boolean }>;
    layerMean(layer: number): Float32Array | undefined;
  };
  grid: {
    has(name: string): boolean;
    cells: HTMLElement[];
    names: string[];
    families: string[];
    table: HTMLTableElement;
    draw(): void;
    /** Squares are filled with the colours of this function, where it has one. */
    fillWith(fill: (name: string) => string | undefined): void;
    picture(index: number): Thumbnail;
    drawPicture(
      pen: CanvasRenderingContext2D,
      index: number,
      square: { left: number; top: number; side: number },
    ): void;
    begin(): Promise<void>;
  };
  selectHead(): Promise<void>;
  step(down: number, on: number): void;

  // plotly.js, plotspec.js
  plotly(): Promise<any>;
  plotlySpec: {
    trace(figure: Figure): object;
    layout(figure: Heatmap): object;
    config(figure: Heatmap, Plotly: any): object;
  };

  // sort.js, and atlas.js, which is there on the page of a model only.
  number(text: string): number;
  sort(table: HTMLTableElement, name: string, order: string): boolean;
  atlas: { shown(name: string): Map<string, string>; begin(): void };
}

/** A strip of tokens; cross attention has two. */
interface Side {
  name: "token" | "key";
  direction: string;
  element: HTMLElement;
  tokens: HTMLElement[];
}

/** The element that Plotly draws into. */
interface PlotlyDiv extends HTMLDivElement {
  on(event: string, listener: (told: { points: { pointIndex: Cell }[] }) => void): void;
}

declare const AG: Gallery;
interface Window {
  AG: Gallery;
  Plotly: any;
}
interface Navigator {
  /** Only in some browsers. */
  connection?: { saveData: boolean };
}
