"""The files that data sets' authors publish, where they are no COCO JSON -> columns."""
