"use strict"; window.AG = {};
