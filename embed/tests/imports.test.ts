/** No module of the embed imports itself through others. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const IMPORT = /(?:^|\n)(?:import|export)\b[^;]*?from '(\.[^']+)'|(?:^|\n)import '(\.[^']+)'/g;

/** The modules that each module imports, types included. */
function readImports(folder: string): Map<string, string[]> {
  const modules = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
  return new Map(
    modules.map((module) => {
      const found = [...readFileSync(module, 'utf8').matchAll(IMPORT)];
      const imports = found.flatMap(([, from, alone]) => {
        const path = normalize(join(dirname(module), from ?? alone ?? ''));
        return [path, `${path}.ts`, `${path}.tsx`, `${path}/index.ts`].filter(
          (file) => existsSync(file) && modules.includes(file),
        );
      });
      return [module, imports];
    }),
  );
}

/** One circle of imports as a list of modules, or null. */
function findCircle(imports: Map<string, string[]>): string[] | null {
  const done = new Set<string>();
  const visit = (module: string, path: string[]): string[] | null => {
    if (path.includes(module)) return [...path.slice(path.indexOf(module)), module];
    if (done.has(module)) return null;
    for (const next of imports.get(module) ?? []) {
      const circle = visit(next, [...path, module]);
      if (circle) return circle;
    }
    done.add(module);
    return null;
  };
  for (const module of imports.keys()) {
    const circle = visit(module, []);
    if (circle) return circle;
  }
  return null;
}

test.each(['src', 'e2e'])('%s has no circle of imports', (folder) => {
  const imports = readImports(folder);
  expect(imports.size).toBeGreaterThan(0);
  expect(findCircle(imports)).toBeNull();
});

test('a circle is found', () => {
  const imports = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['b']],
  ]);
  expect(findCircle(imports)).toEqual(['b', 'c', 'b']);
});
