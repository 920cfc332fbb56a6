def inpaint_exemplar(): pass
