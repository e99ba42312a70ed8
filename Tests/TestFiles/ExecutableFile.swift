import Foundation
import Glibc

/// Writes a file that is going to be executed.
///
/// While this process has it open for writing, a child that another test forks has it open too until
/// it executes something, and executing the file fails with ETXTBSY. So another process writes it.
public func writeExecutable(_ bytes: [UInt8], at path: String) throws {
    let draft = path + ".draft"
    try Data(bytes).write(to: URL(fileURLWithPath: draft))
    defer { unlink(draft) }
    let words = ["install", "-m", "755", draft, path]
    var arguments = words.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var process: pid_t = 0
    var status: Int32 = 0
    guard posix_spawn(&process, "/usr/bin/install", nil, nil, &arguments, environ) == 0,
        waitpid(process, &status, 0) == process, status == 0
    else { throw CocoaError(.fileWriteUnknown) }
}
