import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

/** Names that draw text as markup, or make a page of it. */
const MARKUP = [
  "innerHTML",
  "outerHTML",
  "srcdoc",
  "insertAdjacentHTML",
  "setHTMLUnsafe",
  "parseHTMLUnsafe",
  "createContextualFragment",
  "parseFromString",
  "write",
  "writeln",
];
const TEXT_ONLY = "What others wrote is drawn as text.";
const noMarkup = [
  { selector: `MemberExpression[property.name=/^(${MARKUP.join("|")})$/]`, message: TEXT_ONLY },
  { selector: `MemberExpression[property.value=/^(${MARKUP.join("|")})$/]`, message: TEXT_ONLY },
  { selector: `SvelteDirectiveKey > SvelteName[name=/^(innerHTML|outerHTML)$/]`, message: TEXT_ONLY },
];

export default ts.config(
  { ignores: ["dist", "dist-fake", "node_modules", "src/ipc/generated"] },
  js.configs.recommended,
  ...ts.configs.recommendedTypeChecked,
  ...svelte.configs.recommended,
  {
    languageOptions: {
      globals: { ...globals.browser },
      parserOptions: {
        projectService: { allowDefaultProject: ["eslint.config.js", "svelte.config.js", "vite.config.ts"] },
        extraFileExtensions: [".svelte"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "no-eval": "error",
      "no-undef": "off",
      "no-restricted-syntax": ["error", ...noMarkup],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "no-restricted-imports": [
        "error",
        { patterns: [{ group: ["@tauri-apps/*"], message: "Only src/ipc/client.ts talks to Tauri." }] },
      ],
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    rules: {
      // The linter can't type props of components; svelte-check does.
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      // Sets here are made and dropped in one expression, or hold what nothing draws.
      "svelte/prefer-svelte-reactivity": "off",
      "svelte/no-at-html-tags": "error",
      "svelte/no-inline-styles": "error",
      "svelte/button-has-type": "error",
      "svelte/require-each-key": "error",
    },
  },
  { files: ["src/ipc/client.ts"], rules: { "no-restricted-imports": "off" } },
  { files: ["*.js", "*.ts"], ...ts.configs.disableTypeChecked },
);
