mod chains;
mod literal;
