/// Paths inside the guest, by their letters alone: the root file system is not looked at.
enum GuestPath {
    /// `path` made absolute against `directory`, without `.`, `..` and doubled slashes.
    ///
    /// `..` stops at the root, so that `../../build/prog` appears as `/build/prog`.
    static func resolve(_ path: String, in directory: String) -> String {
        var parts: [Substring] = []
        let whole = path.utf8.first == UInt8(ascii: "/") ? path : directory + "/" + path
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." {
                _ = parts.popLast()
            } else {
                parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/")
    }
}
