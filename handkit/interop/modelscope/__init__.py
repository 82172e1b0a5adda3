"""handkit inside ModelScope: importing this registers what handkit answers there. Needs the extra `modelscope`."""
