/**
 * Files of tensors, which the service reads and this page does not: they are sent as they are, as parts beside the
 * request.
 *
 *   isTensorFile("grads.npz")        whether it is one, by its name; what it really is the service finds out
 *   partName(file)                   the member that it stands for: "gradients", or "gradients.W1" for W1.npy
 *   partsOf(request, files)          the body of both; files: Map of part name -> File
 */
import { toJson } from "./numbers.js";

export const TENSOR_FILES = ".npz,.npy,.safetensors";

export const isTensorFile = (name) => /\.(npz|npy|safetensors)$/i.test(name);

export function partName(file) {
  const array = file.name.match(/^(.*)\.npy$/i);
  return array === null ? "gradients" : `gradients.${array[1]}`;
}

export function partsOf(request, files) {
  const form = new FormData();
  form.append("request", toJson(request));
  for (const [name, file] of files) form.append(name, file);
  return form;
}
