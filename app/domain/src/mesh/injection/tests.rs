mod admitted;
mod will;
