// One block of the colour that the figures look for on the screen; the real window shows it in the rows of its list.
const block = document.createElement("div");
block.style.cssText = "width: 200px; height: 200px; background: #5c6670";
document.body.append(block);
