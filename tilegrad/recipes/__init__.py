"""Training recipes: whole programs that train one kind of model, each behind `tilegrad train NAME`."""
