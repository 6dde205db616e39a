/** @type {import("@sveltejs/vite-plugin-svelte").SvelteConfig} */
export default {
  compilerOptions: {
    runes: true,
    // A warning of the compiler (accessibility among them) stops the build.
    warningFilter: () => true,
  },
  onwarn(warning) {
    throw new Error(`${warning.code}: ${warning.message} (${warning.filename ?? "unknown file"})`);
  },
};
