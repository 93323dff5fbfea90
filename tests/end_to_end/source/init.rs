//! `bandwatch init`: what it proposes, what it writes, and when it writes nothing.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::shop::{Shop, assert_tells, the_only_line};
use crate::scene::{Doorbell, write};
use crate::support::Run;
use crate::support::workspace::bandwatch;

/// Two thousand numbers from 0 up, which any server can count to.
const NUMBERS: &str = "(SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n AS n FROM digits a, digits b, digits c, digits d WHERE d.n < 2) AS numbers";

impl Shop {
    /// Digits to count by.
    fn with_digits() -> Self {
        let shop = Self::empty();
        shop.sql("CREATE TABLE digits (n INT)");
        shop.sql("INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)");
        shop
    }

    /// Runs `init` as the account that may only read.
    #[track_caller]
    fn init(&self, flags: &[&str]) -> Run {
        let reader = self.database.read_only_user();
        write(&self.workspace, "password", &reader.password);
        let port = self.database.port().to_string();
        let server = ["init", "--host", "127.0.0.1", "--port", &port];
        let account = ["--user", &reader.user, "--password-file", "password"];
        let run = self.workspace.run(
            &[
                &server[..],
                &account,
                &["--timezone", "Europe/Paris"],
                flags,
            ]
            .concat(),
        );
        run.assert_never_prints(&reader.password);
        run
    }

    #[track_caller]
    fn refused(&self, flags: &[&str]) -> String {
        let run = self.init(flags);
        run.assert_status(1);
        assert!(
            !self.workspace.path().join("config.toml").exists(),
            "{run:?}"
        );
        the_only_line(&run.stderr)
    }

    /// The flags of the proposals, the best first.
    #[track_caller]
    fn proposed(&self, flags: &[&str]) -> Vec<String> {
        let run = self.init(flags);
        run.assert_status(1);
        let error = the_only_line(&run.stderr);
        assert_tells(
            &error,
            &["--table, --time, --value (or --aggregate count): missing"],
        );
        let lines = run
            .stdout
            .lines()
            .filter_map(|line| line.trim().strip_prefix("--table "));
        lines.map(str::to_string).collect()
    }

    /// As in MySQL's sample of employees: dates that end in the year 9999, and hardly an amount.
    fn with_employees() -> Self {
        let shop = Self::with_digits();
        let name = &shop.database.name;
        for table in [
            "employees (emp_no INT PRIMARY KEY, birth_date DATE NOT NULL, first_name VARCHAR(14), last_name VARCHAR(16), gender ENUM('M', 'F'), hire_date DATE NOT NULL)",
            "departments (dept_no CHAR(4) PRIMARY KEY, dept_name VARCHAR(40) UNIQUE)",
            "dept_emp (emp_no INT, dept_no CHAR(4), from_date DATE NOT NULL, to_date DATE NOT NULL, PRIMARY KEY (emp_no, dept_no), FOREIGN KEY (emp_no) REFERENCES employees (emp_no))",
            "salaries (emp_no INT, salary INT NOT NULL, from_date DATE NOT NULL, to_date DATE NOT NULL, PRIMARY KEY (emp_no, from_date), FOREIGN KEY (emp_no) REFERENCES employees (emp_no))",
            "titles (emp_no INT, title VARCHAR(50), from_date DATE NOT NULL, to_date DATE, PRIMARY KEY (emp_no, title, from_date), FOREIGN KEY (emp_no) REFERENCES employees (emp_no))",
        ] {
            shop.sql(&format!("CREATE TABLE {table}"));
        }
        let hired = "DATE('2002-08-01') - INTERVAL n * 7 % 1400 DAY";
        for rows in [
            format!(
                "employees SELECT n, DATE('1960-01-01') + INTERVAL n DAY, 'A', 'B', 'F', {hired}"
            ),
            format!("dept_emp SELECT n, 'd001', {hired}, '9999-01-01'"),
            format!("titles SELECT n, 'Engineer', {hired}, '9999-01-01'"),
            format!("salaries SELECT n, 40000 + n * 7919 % 30000, {hired}, '9999-01-01'"),
        ] {
            shop.sql(&format!("INSERT INTO {rows} FROM {NUMBERS}"));
        }
        shop.sql("INSERT INTO salaries SELECT emp_no, salary + 500, from_date + INTERVAL 1 DAY, to_date FROM salaries WHERE from_date < '2002-08-01'");
        shop.sql("INSERT INTO departments VALUES ('d001', 'Sales')");
        shop.sql(&format!(
            "ANALYZE TABLE {name}.salaries, {name}.titles, {name}.dept_emp, {name}.employees"
        ));
        shop
    }

    /// Twenty tables around its orders, of which about a dozen come in an hour.
    fn with_orders() -> Self {
        let shop = Self::with_digits();
        shop.sql("DROP TABLE IF EXISTS sales");
        for table in [
            "orders (id BIGINT PRIMARY KEY, customer_id INT, status TINYINT, is_gift TINYINT(1), currency CHAR(3), tax_amount DECIMAL(12,2), discount DECIMAL(12,2), total_amount DECIMAL(12,2), fiscal_year YEAR, created_at DATETIME, updated_at DATETIME, shipped_at DATETIME NULL, KEY (created_at))",
            "order_items (id BIGINT PRIMARY KEY, order_id BIGINT, product_id INT, quantity INT, unit_price DECIMAL(12,2), created_at DATETIME)",
            "payments (id BIGINT PRIMARY KEY, order_id BIGINT, amount DECIMAL(12,2), fee DECIMAL(12,2), paid_at DATETIME, expires_at DATETIME)",
            "refunds (id INT PRIMARY KEY, order_id BIGINT, amount DECIMAL(12,2), refunded_at DATETIME)",
            "customers (id INT PRIMARY KEY, name VARCHAR(50), credit_limit DECIMAL(12,2), birthday DATE, created_at DATETIME)",
            "products (id INT PRIMARY KEY, price DECIMAL(12,2), weight FLOAT, created_at DATETIME, updated_at DATETIME)",
            "categories (id INT PRIMARY KEY, name VARCHAR(50), position INT)",
            "suppliers (id INT PRIMARY KEY, name VARCHAR(50), since DATE)",
            "inventory (product_id INT PRIMARY KEY, stock INT, updated_at DATETIME)",
            "stock_movements (id BIGINT PRIMARY KEY, product_id INT, quantity INT, moved_at DATETIME)",
            "carts (id BIGINT PRIMARY KEY, total DECIMAL(12,2), created_at DATETIME)",
            "sessions (id BIGINT PRIMARY KEY, user_id INT, last_login DATETIME)",
            "page_views (id BIGINT PRIMARY KEY, duration_ms INT, viewed_at TIMESTAMP NULL)",
            "reviews (id INT PRIMARY KEY, product_id INT, rating INT, created_at DATETIME)",
            "shipments (id INT PRIMARY KEY, order_id BIGINT, weight DECIMAL(8,2), shipped_at DATETIME, delivered_at DATETIME)",
            "coupons (id INT PRIMARY KEY, discount DECIMAL(12,2), valid_from DATE, valid_until DATE)",
            "addresses (id INT PRIMARY KEY, zip INT, city VARCHAR(50))",
            "users (id INT PRIMARY KEY, email VARCHAR(50), created_at DATETIME, login_count INT)",
            "migrations (id INT PRIMARY KEY, batch INT, executed_at DATETIME)",
            "exchange_rates (id INT PRIMARY KEY, rate DECIMAL(12,6), valid_at DATE)",
        ] {
            shop.sql(&format!("CREATE TABLE {table}"));
        }
        let when = "NOW() - INTERVAL (i * 10 + k.n) * 5 * 60 + i * 37 % 200 + 60 SECOND";
        let wave = "ROUND(100 + 40 * SIN(MOD((i * 10 + k.n) * 5, 1440) / 1440 * 6.2832) + MOD(i * 7919 + k.n * 131, 23), 2)";
        shop.sql(&format!(
            "INSERT INTO orders SELECT i * 10 + k.n, i, 1, 0, 'EUR', 1, 0, {wave}, 2026, {when}, NOW(), NULL FROM (SELECT n AS i FROM {NUMBERS}) AS tens CROSS JOIN digits k"
        ));
        shop.sql("INSERT INTO payments SELECT id, id, total_amount, 1, created_at, created_at + INTERVAL 1 YEAR FROM orders");
        shop.sql("INSERT INTO order_items SELECT id, id, 1, 2, 9.5, created_at FROM orders");
        shop.sql("INSERT INTO page_views SELECT id, 120, created_at FROM orders");
        shop.sql("INSERT INTO carts SELECT id, total_amount, created_at FROM orders");
        shop.sql("ANALYZE TABLE orders, payments, order_items, page_views, carts");
        shop
    }
}

fn rights(path: &Path) -> u32 {
    let metadata = std::fs::metadata(path).expect("a file");
    metadata.permissions().mode() & 0o777
}

#[test]
fn of_employees_it_proposes_salaries_by_the_day_they_begin() {
    let shop = Shop::with_employees();
    let name = &shop.database.name;
    let proposed = shop.proposed(&[]);
    assert_eq!(
        proposed[0],
        format!("{name}.salaries --time from_date --value salary --aggregate sum")
    );
    let all = proposed.join("\n");
    assert!(!all.contains("emp_no"), "{all}");
    let flags = [
        "--table",
        "salaries",
        "--time",
        "from_date",
        "--value",
        "salary",
    ];
    let run = shop.init(&flags);
    run.assert_status(0);
    assert_tells(
        &run.stdout,
        &[
            "wrote config.toml: sum of salary every 1d of",
            "The newest row is",
        ],
    );
    let dry_run = shop
        .workspace
        .run(&["--config", "config.toml", "--dry-run"]);
    dry_run.assert_status(0);
}

#[test]
fn of_a_shop_it_proposes_the_total_of_orders_and_writes_what_a_check_takes() {
    let shop = Shop::with_orders();
    let name = &shop.database.name;
    let proposed = shop.proposed(&["--database", name]);
    assert_eq!(
        proposed[0],
        format!("{name}.orders --time created_at --value total_amount --aggregate sum")
    );
    let all = proposed.join("\n");
    for never in ["_id ", "is_gift", "fiscal_year", "zip", "batch"] {
        assert!(!all.contains(never), "{never} in {all}");
    }
    let flags = [
        "--table",
        "orders",
        "--time",
        "created_at",
        "--value",
        "total_amount",
    ];
    let run = shop.init(&[&flags[..], &["--output", "made.toml"]].concat());
    run.assert_status(0);
    assert_eq!(run.stderr, "");
    assert_tells(
        &run.stdout,
        &[
            "wrote made.toml: sum of total_amount every 1h of",
            "mails a week in the last 28 d, replayed",
            "next: fill in [smtp]",
        ],
    );
    let made = shop.workspace.path().join("made.toml");
    assert_eq!(rights(&made) & !0o640, 0);
    let text = std::fs::read_to_string(&made).expect("a file");
    assert_tells(
        &text,
        &[
            "\ntimezone = \"Europe/Paris\"\n",
            "\ntable = \"orders\"\ntime_column = \"created_at\"\nvalue_column = \"total_amount\"\naggregate = \"sum\"\nevery = \"1h\"\n",
            "\nmissing = \"zero\"\n",
            "\n# seasons = [\"1d\", \"7d\"]\n",
            " mails a week in the last 28 d, replayed: ",
            "\nmax_false_alerts = \"1/week\"\n",
            "\n# [smtp]\n# host = \"smtp.example.com\"\n",
        ],
    );
    assert!(!text.contains(&shop.database.read_only_user().password));
    let dry_run = shop
        .workspace
        .run(&["--config", "made.toml", "--dry-run", "-v"]);
    dry_run.assert_status(0);
    assert_eq!(dry_run.stderr, "");
    assert!(dry_run.stdout.starts_with("orders  "), "{dry_run:?}");
    let before = text;
    let again = shop.init(&[&flags[..], &["--output", "made.toml"]].concat());
    again.assert_status(1);
    assert_tells(
        &the_only_line(&again.stderr),
        &["made.toml is there already"],
    );
    assert_eq!(std::fs::read_to_string(&made).expect("a file"), before);
}

#[test]
fn rows_are_counted_by_an_epoch_with_a_password_of_the_environment() {
    let shop = Shop::with_digits();
    shop.sql("CREATE TABLE clicks (ts BIGINT, who INT, KEY (ts))");
    shop.sql(&format!(
        "INSERT INTO clicks SELECT (UNIX_TIMESTAMP() - 60 - n * 3000) * 1000, n FROM {NUMBERS}"
    ));
    let reader = shop.database.read_only_user();
    let port = shop.database.port().to_string();
    let words = [
        "init",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
        "--user",
        &reader.user,
        "--password-env",
        "SECRET",
        "--table",
        "clicks",
        "--time",
        "ts",
        "--aggregate",
        "count",
        "--config",
        "clicks.toml",
        "--name",
        "Clicks",
        "--timezone",
        "UTC",
    ];
    let run = shop
        .workspace
        .run_with(&words, &[("SECRET", &reader.password)]);
    run.assert_never_prints(&reader.password);
    run.assert_status(0);
    let text = std::fs::read_to_string(shop.workspace.path().join("clicks.toml")).expect("a file");
    assert_tells(
        &text,
        &[
            "time = \"epoch_ms\"",
            "aggregate = \"count\"",
            "each run needs it in the environment variable mysql_password",
        ],
    );
    assert!(
        !text.contains("value_column") && !text.contains(&reader.password),
        "{text}"
    );
    let variables = [("mysql_password", reader.password.as_str())];
    let check = shop
        .workspace
        .run_with(&["--config", "clicks.toml", "--dry-run"], &variables);
    check.assert_status(0);
    let missing = shop
        .workspace
        .run(&[&words[..], &["--output", "other.toml"]].concat());
    missing.assert_status(2);
    assert_tells(
        &missing.stderr,
        &["--password-env SECRET: there is no such variable"],
    );
}

#[test]
fn where_there_is_nothing_to_watch_the_reason_is_told_and_nothing_written() {
    let shop = Shop::with_digits();
    let reader = &shop.database.read_only_user().user;
    assert_tells(
        &shop.refused(&[]),
        &["no column of times (DATETIME, TIMESTAMP or DATE", ".digits"],
    );
    shop.sql("CREATE TABLE orders (at DATETIME, total DECIMAL(9,2), note TEXT)");
    let flags = ["--table", "orders", "--time", "at", "--value", "total"];
    assert_tells(
        &shop.refused(&flags),
        &["orders has no row whose at is before now"],
    );
    assert_tells(
        &shop.refused(&["--table", "nothing"]),
        &[
            "--table nothing: no such table, or the account may not read it; there are: ",
            ".orders",
        ],
    );
    assert_tells(
        &shop.refused(&["--table", "orders", "--time", "when"]),
        &["--time when: no column of times; ", "there are: at"],
    );
    assert_tells(
        &shop.refused(&["--table", "orders", "--time", "at", "--value", "note"]),
        &["--value note: no column of numbers; there are: total"],
    );
    shop.sql("DROP TABLE orders, digits");
    assert_tells(
        &shop.refused(&[]),
        &[
            &format!("the account {reader}@% sees no table in any database"),
            "GRANT SELECT ON shop.* TO",
        ],
    );
    assert_tells(
        &shop.refused(&["--database", "mysql"]),
        &["Access denied for user", "to database 'mysql'"],
    );
    assert_tells(
        &shop.refused(&["--output", "no/such/file.toml"]),
        &["there is no directory", "no/such"],
    );
    write(&shop.workspace, "wrong", "nothing");
    let port = shop.database.port().to_string();
    let words = [
        "init",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
        "--user",
        reader,
        "--password-file",
        "wrong",
    ];
    let run = shop.workspace.run(&words);
    run.assert_status(1);
    assert_tells(
        &the_only_line(&run.stderr),
        &[
            "Access denied for user",
            "check mysql.user and mysql.password_file",
        ],
    );
}

#[test]
fn a_file_that_is_there_is_told_before_anything_is_contacted() {
    let (shop, server) = (Shop::empty(), Doorbell::new());
    shop.workspace.config("# mine\n");
    let port = server.port().to_string();
    let run = shop.workspace.run(&[
        "init",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
        "--user",
        "a",
    ]);
    run.assert_status(1);
    assert_tells(
        &run.stderr,
        &["config.toml is there already, and stays as it is"],
    );
    server.assert_nobody_called();
    let run = shop.workspace.run(&[
        "init",
        "--output",
        "new.toml",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
    ]);
    run.assert_status(2);
    assert_tells(
        &run.stderr,
        &["--user: missing, and there is no terminal to ask on"],
    );
    server.assert_nobody_called();
}

/// By the terminal that `script` makes, with all answers typed ahead.
#[test]
fn at_a_terminal_it_asks_for_what_is_open() {
    let shop = Shop::with_digits();
    shop.sql("CREATE TABLE orders (at DATETIME, total DECIMAL(9,2), KEY (at))");
    shop.sql(&format!(
        "INSERT INTO orders SELECT NOW() - INTERVAL n * 1800 + 60 SECOND, 100 + n % 48 FROM {NUMBERS}"
    ));
    let reader = shop.database.read_only_user();
    let port = shop.database.port();
    write(
        &shop.workspace,
        "answers",
        &format!("{}\n{}\n99\n1\n\n", reader.user, reader.password),
    );
    let program = bandwatch().display();
    let typed = format!(
        "script -qefc '{program} init --port {port} --timezone UTC --last 2d' shown <answers >/dev/null"
    );
    let run = shop.workspace.run_program(
        Path::new("/bin/sh"),
        &["-c", &typed],
        &[("mysql_host", "127.0.0.1")],
        Duration::from_mins(1),
    );
    run.assert_status(0);
    let shown = std::fs::read_to_string(shop.workspace.path().join("shown")).expect("a file");
    assert_tells(
        &shown,
        &[
            "Account that may SELECT [bandwatch]: ",
            "What to watch?",
            "Number [1]: ",
            "Allowed: 1 to ",
            "wrote config.toml: ",
        ],
    );
    let kept = shop.workspace.path().join("mysql-password");
    assert_eq!(
        std::fs::read_to_string(&kept).expect("a file"),
        format!("{}\n", reader.password)
    );
    assert_eq!(rights(&kept) & !0o640, 0);
    let check = shop.workspace.run(&["--dry-run"]);
    check.assert_status(0);
}
