/** Lines of one level through a grid of numbers. */

/**
 * Adds to a path the line along which a grid is 0: through the exact place between two neighbours of different sign.
 * @param {CanvasRenderingContext2D | Path2D} path
 * @param {number[][]} grid  rows of values
 * @param {(j: number, i: number) => [number, number]} at  where column j and row i are drawn
 */
export function traceZero(path, grid, at) {
  for (let i = 0; i + 1 < grid.length; i++) {
    for (let j = 0; j + 1 < grid[0].length; j++) {
      const corners = [[j, i], [j + 1, i], [j + 1, i + 1], [j, i + 1]];
      const crossings = [];
      for (let k = 0; k < 4; k++) {
        const [a, b] = [corners[k], corners[(k + 1) % 4]];
        const [from, to] = [grid[a[1]][a[0]], grid[b[1]][b[0]]];
        if (from > 0 === to > 0 || !Number.isFinite(from) || !Number.isFinite(to)) continue;
        const share = from / (from - to);
        crossings.push(at(a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share));
      }
      for (let k = 0; k + 1 < crossings.length; k += 2) {
        path.moveTo(...crossings[k]);
        path.lineTo(...crossings[k + 1]);
      }
    }
  }
}
