/// What shows that one of some small files is another than before: what is in them. Their times would do too, but which C module
/// defines those changes from build to build.
struct FileStamps: Hashable {
    private let stamps: [Int?]

    var areAllThere: Bool { stamps.allSatisfy { $0 != nil } }

    init(_ paths: [String]) { stamps = paths.map { (try? SystemFile.read($0))?.hashValue } }
}
