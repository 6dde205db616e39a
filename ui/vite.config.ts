import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig } from "vitest/config";

export default defineConfig(({ mode }) => ({
  plugins: [svelte(), ...(mode === "test" ? [svelteTesting()] : [])],
  clearScreen: false,
  server: { host: "127.0.0.1", port: 5199, strictPort: true },
  preview: { host: "127.0.0.1", port: 5198, strictPort: true },
  build: {
    target: "es2022",
    rollupOptions: { input: ["index.html", "approval.html"] },
    // `--mode fake` builds the same window on the fake, for looking at it without a host; it never ships.
    outDir: mode === "fake" ? "dist-fake" : "dist",
    emptyOutDir: true,
    // The content security policy allows files from here and nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    sourcemap: false,
  },
  test: {
    // A busy machine is no failure.
    testTimeout: 30_000,
    environment: "jsdom",
    setupFiles: ["test/setup.ts"],
    include: ["test/**/*.test.ts"],
    env: { TZ: "UTC" },
    restoreMocks: true,
  },
}));
