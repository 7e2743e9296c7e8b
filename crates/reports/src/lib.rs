//! What jobs report beside their exit code: JUnit test results and dotenv
//! variables, from the bytes of the uploaded files.
//!
//! Pure: reading archives and storing results is the server's.
