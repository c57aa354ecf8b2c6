// output
columns: u32,
first_column: u32,
stride: u32,
first_row: i32, // of image 0; negative where y begins later
rows: u32,
add_below: u32, // columns of y below this are added to, others written
